# SPDX-License-Identifier: Apache-2.0
"""``period check``."""

import argparse
import datetime
import logging
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import period_findings
from distil.cmd.manage import period_options
from distil.cmd.manage.period_findings import PeriodReport
from distil.db import projects
from distil.model import Window
from distil.text import pluralize

LOG = logging.getLogger(__name__)

_COLUMNS = ("subject", "name", "start", "end", "windows", "state", "reason", "to_do", "accepted")


class PeriodCheck(base.ListCommand):
    """Prove that a period is complete, for every project that existed in it.

    Each row is a finding: windows that are missing, failed, late, suspect, rejected or empty between others with
    samples, that late samples were not looked for, or that no run saw Keystone's list. The exit status is 1 if there is
    a finding that --except does not accept.
    """

    SUBJECT = "findings"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="NAME", help="a month in UTC, such as 2026-10, or any name with --start")
        for option in ("start", "end"):
            parser.add_argument(f"--{option}", metavar="TIME", help=f"{option} of the period (ISO 8601)")
        parser.add_argument(
            "--except",
            dest="exceptions",
            metavar="PROJECT=REASON",
            action="append",
            default=[],
            help="accept the findings of this project, or of rechecks or rosters, for this reason; can be repeated",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        period = self._period(parsed_args)
        if period.end > datetime.datetime.now(datetime.UTC):
            raise exceptions.Refused(
                f"period {parsed_args.name} is not over: it ends at {period.end:%Y-%m-%dT%H:%M:%SZ}"
            )
        self._accepted = dict(map(self._exception, parsed_args.exceptions))
        report = period_findings.check(self.app.engine, period, self._accepted)
        return _COLUMNS, self._rows(parsed_args.name, report)

    def _period(self, arguments: argparse.Namespace) -> Window:
        try:
            if arguments.start or arguments.end:
                times = [period_options.utc_time(time or "") for time in (arguments.start, arguments.end)]
                if times[0] >= times[1]:
                    self.refuse("--start must be before --end")
                return Window(*times)
            return period_options.utc_month(arguments.name)
        except argparse.ArgumentTypeError as error:
            self.refuse(f"{error}; give both --start and --end, or a month as the name")

    def _exception(self, value: str) -> tuple[str, str]:
        name, _, reason = value.partition("=")
        if not (name and reason.strip()):
            self.refuse(f"--except {value!r}: write PROJECT=REASON")
        if name in (period_findings.RECHECKS, period_findings.ROSTERS):
            return name, reason
        return self._project_id(name), reason

    def _project_id(self, name: str) -> str:
        try:
            return next(iter(projects.find_ids(self.app.engine, [name], with_prefixes=False)))
        except exceptions.NotFound:
            # One that no run has seen has no name.
            return name

    def _rows(self, name: str, report: PeriodReport) -> Iterator[Sequence[object]]:
        for finding in report.findings:
            times = map(base.format_time, (finding.window.start, finding.window.end))
            details = finding.state, finding.reason, finding.action, finding.exception
            yield finding.subject, finding.name, *times, finding.windows, *details
        for project, state, since in report.left:
            LOG.info("Project %s (%s): %s since %s", project.id, project.name, state, base.format_time(since))
        for subject in sorted(self._accepted.keys() - {finding.subject for finding in report.findings}):
            LOG.warning("--except %s accepts nothing: there is no such finding", subject)
        self.failures.add(not report.is_proven)
        _log(name, report)


def _log(name: str, report: PeriodReport) -> None:
    counts = f"{pluralize(report.projects, 'project')}, {pluralize(report.windows, 'window')} proven"
    excepted = sum(finding.exception is not None for finding in report.findings)
    if report.is_proven:
        LOG.info("Period %s is complete: %s, %s accepted", name, counts, pluralize(excepted, "finding"))
    else:
        number = pluralize(len(report.findings) - excepted, "finding")
        LOG.error("Period %s is not proven complete: %s; %s", name, number, counts)
