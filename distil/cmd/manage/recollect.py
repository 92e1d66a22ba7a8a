# SPDX-License-Identifier: Apache-2.0
"""``usage recollect``."""

import argparse
import logging
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import collectors as collector_options
from distil.cmd.manage import period_options
from distil.cmd.manage.operator_name import operator_name
from distil.cmd.manage.period_options import Period
from distil.cmd.manage.recollect_totals import RecollectTotals
from distil.db import chosen_windows
from distil.db import privileges
from distil.db import projects
from distil.db.chosen_windows import ChosenProject
from distil.db.chosen_windows import ChosenWindows
from distil.db.receipt_history import Change
from distil.text import pluralize

if TYPE_CHECKING:
    from distil.collector.recollect import RecollectedWindow
    from distil.collector.recollect import Recollector

LOG = logging.getLogger(__name__)

_MAX_LISTED = 5


class UsageRecollect(base.ListCommand):
    """Collect windows again, and replace the usage that differs.

    The samples are asked for again and rated by the rules that the window was rated by, or with --rules current by
    those of today; windows from before revision 014 of the database, which have no receipt, always by those of today.
    The result has a row for each project and service whose usage differs: its volume in all windows that were looked
    at, before and after, and how many entries differ.

    Each window is one transaction: what is replaced is kept in usage_history, with the reason, and the receipt gets the
    next revision. A command that was interrupted can be repeated; one that is repeated changes nothing. Collectors may
    run.

    A window is refused, and stays as it is, if the telemetry service has fewer samples of it than were collected
    (unless --allow-less), if its period is closed, or if its rules cannot be used any more. The other windows go on,
    and the exit status is 1. The database user needs privileges that collectors do not need.
    """

    SUBJECT = "differences"
    TABLE_NOTE = "Volumes of a level, such as gigabyte, are of its unit times hours; see usage list --help"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("project", metavar="PROJECT", nargs="*", help="ID or name of a project")
        parser.add_argument("--all", action="store_true", help="all projects")
        parser.add_argument(
            "--late",
            action="store_true",
            help="only windows that window recheck has found late",
        )
        period_options.add_period(parser, "windows that start")
        parser.add_argument("--reason", metavar="TEXT", required=True, help="why, for usage_history")
        parser.add_argument(
            "--rules",
            choices=("recorded", "current"),
            default="recorded",
            help="rate by the rules that the window was rated by (default), or by those of today",
        )
        parser.add_argument(
            "--allow-less",
            action="store_true",
            help="also windows of which the telemetry service has fewer samples than were collected: usage may be lost",
        )
        base.add_dry_run(parser, "replaced")
        parser.add_argument("--collector", metavar="NAME", help="ask the telemetry service of this collector")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        period = self._read(parsed_args)
        engine = self.app.engine
        ids = projects.find_ids(engine, parsed_args.project, with_prefixes=False)
        if not parsed_args.dry_run:
            privileges.require_recollect(engine)
        stored = chosen_windows.read_projects(engine, ids)
        if not parsed_args.late:
            self._report_uncollected(stored, period, named=bool(ids))
        windows = ChosenWindows(engine, ids, period.start, period.end, only_late=parsed_args.late)
        totals = RecollectTotals(parsed_args.dry_run)
        try:
            for recollected in self._recollector(parsed_args).run(windows.iterate()):
                totals.add(recollected)
                self._report(recollected, period)
        except KeyboardInterrupt:
            LOG.error("Interrupted after %s; one more is replaced as a whole or not at all", totals.describe())
            raise
        except (exceptions.ServiceError, exceptions.ServiceOutage) as error:
            raise exceptions.ServiceError(f"stopped after {totals.describe()}: {error}") from error
        LOG.info("%s", totals.describe().capitalize())
        names = ("project_id", "project", "service", "unit", "before", "after", "change", "entries")
        return names, [
            (*key, *map(base.format_volume, (total.before, total.after, total.after - total.before)), total.entries)
            for key, total in totals.rows({project.id: project.name for project in stored.values()})
        ]

    def _read(self, arguments: argparse.Namespace) -> Period:
        if bool(arguments.project) == arguments.all and not (arguments.late and not arguments.all):
            self.refuse("name projects, or use --all or --late")
        period = period_options.read_period(arguments, self.refuse)
        if not (arguments.late or (period.start and period.end)):
            self.refuse("choose a period with --start and --end, or with --month")
        if not arguments.reason.strip():
            raise exceptions.Refused("--reason is empty: usage is not replaced without one")
        return period

    def _recollector(self, arguments: argparse.Namespace) -> "Recollector":
        # Slow to import, as everything that speaks to the cloud.
        from distil.collector.recollect import RecollectOptions  # noqa: PLC0415
        from distil.collector.recollection_rules import RulesChoice  # noqa: PLC0415
        from distil.factory.recollect import build_recollector  # noqa: PLC0415

        collector = collector_options.choose_one(self.app.conf, arguments.collector)
        change = Change(arguments.reason.strip(), operator_name())
        options = RecollectOptions(change, arguments.allow_less, arguments.dry_run)
        return build_recollector(self.app.conf, collector, self.app.engine, RulesChoice(arguments.rules), options)

    def _report_uncollected(self, stored: Mapping[str, ChosenProject], period: Period, *, named: bool) -> None:
        """Report the part of the period that has not been collected."""
        end = period.end
        behind = [
            project
            for project in stored.values()
            if end and (not project.last_collected or project.last_collected < end)
        ]
        for project in behind[:_MAX_LISTED] if named else ():
            LOG.error(
                "Project %s (%s): collected to %s only, later windows are left to the collector",
                project.id,
                project.name,
                base.format_time(project.last_collected, period.zone) or "no time",
            )
        if behind:
            LOG.log(
                logging.ERROR if named else logging.WARNING,
                "%s not collected to the end of the period, %s",
                pluralize(len(behind), "project"),
                base.format_time(end, period.zone),
            )
        self.failures.add(named and bool(behind))

    def _report(self, recollected: "RecollectedWindow", period: Period) -> None:
        self.failures.add(bool(recollected.reason))
        if recollected.reason:
            LOG.error(
                "Project %s: window %s %s: %s",
                recollected.project_id,
                recollected.window,
                recollected.result.value,
                recollected.reason,
            )
