# SPDX-License-Identifier: Apache-2.0
"""``period check``."""

import argparse
import logging
from collections.abc import Iterator
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.cmd.manage import named_period
from distil.cmd.manage import period_findings
from distil.cmd.manage.period_findings import PeriodReport
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
        named_period.add_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        engine = self.app.engine
        period = named_period.read_window(parsed_args, self.refuse)
        named_period.require_over(engine, parsed_args.name, period)
        self._accepted = named_period.read_exceptions(engine, parsed_args, self.refuse)
        report = period_findings.check(engine, period, self._accepted)
        return _COLUMNS, self._rows(parsed_args.name, report)

    def _rows(self, name: str, report: PeriodReport) -> Iterator[Sequence[object]]:
        for finding in report.findings:
            times = map(base.format_time, (finding.window.start, finding.window.end))
            details = finding.state, finding.reason, finding.action, finding.exception
            yield finding.subject, finding.name, *times, finding.windows, *details
        for project, state, since in report.left:
            LOG.info("Project %s (%s): %s since %s", project.id, project.name, state, base.format_time(since))
        for subject in sorted(self._accepted.keys() - {finding.subject for finding in report.findings}):
            LOG.warning("--except %s has no effect: the period has no finding of it", subject)
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
