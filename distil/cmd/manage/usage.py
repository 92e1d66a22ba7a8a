# SPDX-License-Identifier: Apache-2.0
"""``usage list``, ``usage prune`` and ``usage summary``."""

import argparse
import datetime
import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import completeness
from distil.cmd.manage import period_options
from distil.cmd.manage.completeness import WindowCount
from distil.cmd.manage.domains import find_domain_ids
from distil.db import collected
from distil.db import projects
from distil.db import retention
from distil.db import usage_entries
from distil.db.store import Store
from distil.db.windows import PeriodWindows

LOG = logging.getLogger(__name__)

# A month is billed within the next one.
_UNBILLED = datetime.timedelta(days=60)


class _UsageCommand(base.ListCommand):
    """Has the options that choose usage entries."""

    SUBJECT = "usage"
    TABLE_NOTE = "Volumes of a level, such as gigabyte, are of its unit times hours; see --help"
    SORTED_BY_DATABASE = True

    _windows: WindowCount | None = None
    _is_refused = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser)
        period_options.add_period(parser, "usage whose window starts")
        for option, what, of in (
            ("domain", "DOMAIN", "by ID or name"),
            ("service", "NAME", ""),
            ("resource", "ID", ""),
        ):
            help_text = ", ".join(filter(None, (f"only this {option}", of))) + "; can be repeated"
            parser.add_argument(f"--{option}", metavar=what, action="append", default=[], help=help_text)
        base.add_limit(parser)
        parser.add_argument(
            "--require-complete",
            action="store_true",
            help="exit with status 1 if a window of the period is missing, failed, late, suspect or rejected, or the"
            " period is not over, for billing",
        )
        return parser

    def _filter(self, arguments: argparse.Namespace) -> usage_entries.UsageFilter:
        """The usage that the options choose. Finds out how much of it has been collected, before it is read."""
        chosen = period_options.read_period(arguments, self.refuse)
        if arguments.require_complete and chosen.end is None:
            self.refuse("--require-complete needs --month or --end")
        usage_filter = usage_entries.UsageFilter(
            projects=projects.find_ids(self.app.engine, arguments.project),
            domains=find_domain_ids(self.app, arguments.domain),
            services=arguments.service,
            resources=arguments.resource,
            start=chosen.start,
            end=chosen.end,
        )
        found = collected.read(self.app.engine, usage_filter.projects, usage_filter.domains)
        completeness.log_extent(found, chosen)
        # All windows that were ever collected are too many to count.
        if chosen.start or usage_filter.projects or arguments.require_complete:
            part = completeness.counted_part(chosen, found)
            windows = PeriodWindows(self.app.engine, part, usage_filter.projects, usage_filter.domains)
            self._windows = completeness.count(windows.iterate())
            is_over = chosen.end is not None and chosen.end <= part.end
            self._is_refused = arguments.require_complete and not (is_over and self._windows.is_complete)
        return usage_filter

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        status = super().produce_output(parsed_args, column_names, data)
        # The last line is to follow the rows also where both go to the same file.
        self.app.stdout.flush()
        if self._windows is not None:
            completeness.log_windows(self._windows)
        if self._is_refused:
            LOG.error("The period is not complete")
            self.failures.add(True)
        return status


class UsageList(_UsageCommand):
    """List usage entries, ordered by project, start, service and resource.

    A volume is in the unit times hours, such as gigabyte-hours, if its transformer bills a level for the time of the
    window (max, storagemax, blockstoragemax, objectstoragemax, databasevolumemax, fromimage); in the unit itself if it
    adds up (sum), or measures time (uptime, networkservice).

    The formats csv, value and jsonl write each row as it is read; the others hold all rows in memory.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        names = usage_entries.UsageEntry._fields
        order = self.sort_keys(parsed_args, names)
        zone = parsed_args.time_zone
        entries = usage_entries.entries(self.app.engine, self._filter(parsed_args), parsed_args.limit, order)
        rows = (
            (
                *entry[: names.index("volume")],
                base.format_volume(entry.volume),
                base.format_time(entry.start, zone),
                base.format_time(entry.end, zone),
            )
            for entry in entries
        )
        return names, rows


class UsageSummary(_UsageCommand):
    """Sum up usage.

    The database computes the sums. Volumes of different units are never added: there is a row for each unit, whatever
    else the usage is grouped by.

    A volume is in the unit times hours, such as gigabyte-hours, if its transformer bills a level for the time of the
    window (max, storagemax, blockstoragemax, objectstoragemax, databasevolumemax, fromimage); in the unit itself if it
    adds up (sum), or measures time (uptime, networkservice).
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--group-by",
            type=_groups,
            default=["project", "service", "unit"],
            metavar="GROUP[,GROUP...]",
            help=f"any of {', '.join(usage_entries.GROUPS)} (default: project,service,unit); a day, hour or month is"
            " the one in which the usage's window starts, in the --time-zone",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        groups: list[str] = parsed_args.group_by
        names = usage_entries.total_columns(groups)
        order = self.sort_keys(parsed_args, names)
        totals = usage_entries.totals(
            self.app.engine, self._filter(parsed_args), groups, parsed_args.limit, order, parsed_args.time_zone
        )
        return names, ((*group, base.format_volume(volume), entries) for *group, volume, entries in totals)


class UsagePrune(base.ShowCommand):
    """Delete the usage entries and the rejected samples of windows that start before a time.

    Nothing of it is collected again, and readers of the database do not find it any more: bill and archive it first.
    A time within the last 60 days, whose usage may not be billed yet, needs --force.

    The receipts of these windows, and what their usage was before it was replaced, are deleted with it, and so are
    their rejected samples, because a retry could bill them twice. Projects and resources stay.

    Usage of closed periods is deleted with --closed-periods only, of whole periods: period list and period verify show
    them as pruned from then on. This needs the privileges INSERT and UPDATE on periods, too.

    The entries are deleted in many short transactions, also while collectors run. A command that was interrupted can be
    repeated. The database user needs the privilege DELETE on usage_entry, usage_history, receipts, receipt_history,
    late_windows and rejected_samples, which collectors do not need.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--before", metavar="TIME", type=period_options.utc_time, required=True, help="ISO 8601, UTC by default"
        )
        base.add_project(parser)
        parser.add_argument("--force", action="store_true", help="also with a --before within the last 60 days")
        parser.add_argument(
            "--closed-periods", action="store_true", help="also usage of closed periods, which are marked as pruned"
        )
        base.add_dry_run(parser, "deleted")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        engine, before = self.app.engine, parsed_args.before
        now = Store(engine).now()
        if before > now:
            self.refuse("--before must not be in the future")
        if before > now - _UNBILLED and not (parsed_args.force or parsed_args.dry_run):
            raise exceptions.Refused(
                f"{base.format_time(before)} is within the last {_UNBILLED.days} days, whose usage may not be billed"
                " yet; check it with --dry-run, and use --force if it is meant"
            )
        ids = projects.find_ids(engine, parsed_args.project, with_prefixes=False)
        old = retention.usage_before(engine, before, ids)
        closed = parsed_args.closed_periods
        retention.require_prunable(engine, before, closed_periods=closed)
        deleted = old[:2] if parsed_args.dry_run else retention.prune_usage(engine, before, ids, closed_periods=closed)
        fields = {
            "before": base.format_time(before),
            "result": "would be deleted" if parsed_args.dry_run else "deleted",
            "usage_entries": deleted[0],
            "rejected_samples": deleted[1],
            "projects": old.projects,
            "first_usage": base.format_time(old.first),
            "last_usage": base.format_time(old.last),
        }
        return tuple(fields), tuple(fields.values())


def _groups(value: str) -> list[str]:
    groups = list(dict.fromkeys(value.split(",")))
    for group in groups:
        if group not in usage_entries.GROUPS:
            raise argparse.ArgumentTypeError(f"{group!r} is not one of {', '.join(usage_entries.GROUPS)}")
    return groups if "unit" in groups else [*groups, "unit"]
