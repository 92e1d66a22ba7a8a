# SPDX-License-Identifier: Apache-2.0
"""``config check``."""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import config_checks
from distil.cmd.manage import service_checks
from distil.cmd.manage.config_checks import Finding


class ConfigCheck(base.ListCommand):
    """Check the configuration, the meter mappings and the transformers' options for errors.

    All errors are shown. With --live, the services are asked as well, in the same way as by a collector; nothing is
    stored. The exit status is 1 if there is an error; a warning is not an error.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--live",
            action="store_true",
            help="also ask Keystone, telemetry, the database and the coordination backend",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Finding]]:
        return Finding._fields, self._counted(self._findings(parsed_args.live))

    def _counted(self, findings: Iterator[Finding]) -> Iterator[Finding]:
        for finding in findings:
            self.failures.add(finding.status == config_checks.ERROR)
            yield finding

    def _findings(self, with_services: bool) -> Iterator[Finding]:
        try:
            conf = self.app.conf
        except exceptions.ConfigurationError as error:
            yield from config_checks.errors("configuration files", error.problems)
            return
        collectors = yield from config_checks.configuration(conf)
        if with_services:
            store = yield from service_checks.database(lambda: self.app.engine)
            if collectors:
                yield from service_checks.coordination_backend(conf)
            yield from service_checks.cloud(conf, collectors, store)
