# SPDX-License-Identifier: Apache-2.0
"""``window recheck``."""

import argparse
import datetime
import logging
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.cmd.manage import collectors
from distil.cmd.manage import period_options
from distil.collector.comparison import ComparedWindow
from distil.collector.comparison import Finding
from distil.collector.recheck import ComparedPeriod
from distil.db import models
from distil.db import privileges
from distil.db import projects
from distil.text import pluralize

LOG = logging.getLogger(__name__)

_COLUMNS = ("project_id", "start", "end", "meter", "collected", "held", "change")


class WindowRecheck(base.ListCommand):
    """Compare what was collected with what the telemetry service holds now, and list the windows that are late.

    A window is late if the service holds other samples of it than were collected: more, because they arrived later, or
    fewer. So are windows of projects that no run has seen. What was found is stored; usage is never changed. The exit
    status is 1 if a window is late, or cannot be compared because the service holds no samples of it any more.
    """

    SUBJECT = "late windows"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser)
        period_options.add_period(parser, "windows that start")
        parser.add_argument(
            "--digest",
            action="store_true",
            help="ask for all samples again and compare them, instead of their numbers; drivers that cannot count do so"
            " always",
        )
        parser.add_argument(
            "--collector", metavar="NAME", help="use the telemetry service of this one of the enabled collectors"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        chosen = period_options.read_period(parsed_args, self.refuse)
        if chosen.start is None:
            self.refuse("choose a period with --start or --month")
        engine = self.app.engine
        project_ids = projects.find_ids(engine, parsed_args.project)
        options = collectors.choose_one(self.app.conf, parsed_args.collector)
        # Slow to import, as everything that speaks to the cloud.
        from distil.collector.shutdown import Shutdown  # noqa: PLC0415
        from distil.factory.collector import CollectorFactory  # noqa: PLC0415
        from distil.factory.session import connect  # noqa: PLC0415

        may_delete = privileges.may_delete(engine, models.late_windows)
        if not may_delete:
            LOG.warning(
                "The database user lacks the privilege DELETE on late_windows: windows that are not late any more stay"
                " listed"
            )
        factory = CollectorFactory(self.app.conf, options)
        cloud = connect(self.app.conf)
        recheckers = factory.recheckers(engine, cloud, factory.telemetry.driver(cloud.session), Shutdown())
        rechecker = recheckers.build(project_ids, by_digest=parsed_args.digest, may_delete=may_delete)
        period = rechecker.collected(chosen.start, chosen.end)
        self._log_others(rechecker.count_others(period))
        return _COLUMNS, self._rows(rechecker.run(period), chosen.zone)

    def _rows(self, days: Iterable[ComparedPeriod], zone: datetime.tzinfo) -> Iterator[Sequence[object]]:
        windows = 0
        findings: Counter[Finding] = Counter()
        for day in days:
            windows += day.windows
            findings.update(window.finding for window in day.found)
            LOG.info(
                "Compared %s to %s: %d late",
                *(base.format_time(time, zone) for time in (day.period.start, day.period.end)),
                len(day.late),
            )
            for window in day.late:
                yield from _differences(window, zone)
        self._log_result(windows, findings)

    def _log_result(self, windows: int, findings: Mapping[Finding, int]) -> None:
        """Tell what was and was not compared. Not to be compared is a failure, unless there never was a receipt."""
        late = findings[Finding.LATE] + findings[Finding.NEVER_COLLECTED]
        LOG.info("%s compared, %d late", pluralize(windows, "window"), late)
        self.failures.add(bool(late or findings[Finding.NOT_HELD]))
        if findings[Finding.NOT_HELD]:
            LOG.error(
                "%s not compared: the telemetry service holds no samples of them any more, of any project",
                pluralize(findings[Finding.NOT_HELD], "window"),
            )
        if findings[Finding.UNRECORDED]:
            LOG.warning(
                "%s with samples not compared: stored without a receipt",
                pluralize(findings[Finding.UNRECORDED], "window"),
            )

    def _log_others(self, windows: int) -> None:
        if windows:
            LOG.warning(
                "%s not compared: collected from another telemetry service, which --collector may choose",
                pluralize(windows, "window"),
            )


def _differences(window: ComparedWindow, zone: datetime.tzinfo) -> Iterator[Sequence[object]]:
    start, end = (base.format_time(time, zone) for time in (window.window.start, window.window.end))
    for meter, collected, held in window.differences:
        if window.finding is Finding.NEVER_COLLECTED:
            change = "never collected"
        else:
            change = "more" if held > collected else "fewer" if held < collected else "other"
        yield window.project_id, start, end, meter, collected, held, change
