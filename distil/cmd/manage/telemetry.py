# SPDX-License-Identifier: Apache-2.0
"""``telemetry list`` and ``telemetry rename``."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.db import collected_by


class TelemetryList(base.ListCommand):
    """List the telemetry services from which projects are collected, by driver and region.

    The progress of a project is that in one service; a collector of another region refuses to continue it. Without a
    name are projects of which no window was stored since the upgrade: the collector that stores the next one decides.
    """

    SUBJECT = "projects"

    def take_action(self, _parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        return collected_by.TelemetryUse._fields, collected_by.telemetry_in_use(self.app.engine)


class TelemetryRename(base.ShowCommand):
    """Have projects that are collected from one telemetry service be collected from another one.

    For a region that was renamed, or a driver that was replaced. Usage that only the old service has is not collected
    any more, so first collect all of it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("old", metavar="OLD", help="driver and region, as in ceilometer/RegionOne")
        parser.add_argument("new", metavar="NEW", help="driver and region as they are now")
        base.add_dry_run(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        if not all(parsed_args.new.partition("/")):
            self.refuse("NEW must be a driver and a region, as in ceilometer/RegionOne")
        dry_run, new = parsed_args.dry_run, parsed_args.new
        renamed = collected_by.rename_telemetry(self.app.engine, parsed_args.old, new, dry_run=dry_run)
        return ("telemetry", "result", "projects"), (new, "would be renamed" if dry_run else "renamed", renamed)
