# SPDX-License-Identifier: Apache-2.0
"""``usage list`` and ``usage summary``."""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.db import projects
from distil.db import usage_entries


class _UsageCommand(base.ListCommand):
    """Has the options that choose usage entries."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser, action="append", default=[])
        base.add_period(parser, "usage whose window starts")
        for option, what in (("service", "NAME"), ("resource", "ID")):
            parser.add_argument(
                f"--{option}", metavar=what, action="append", default=[], help=f"only this {option}; can be repeated"
            )
        base.add_limit(parser)
        return parser

    def _filter(self, arguments: argparse.Namespace) -> usage_entries.UsageFilter:
        return usage_entries.UsageFilter(
            projects=projects.find_ids(self.app.engine, arguments.project),
            services=arguments.service,
            resources=arguments.resource,
            start=arguments.start,
            end=arguments.end,
        )


class UsageList(_UsageCommand):
    """List usage entries, ordered by project, start, service and resource.

    The formats csv, value and jsonl write each row as it is read; the others hold all rows in memory.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        rows = (
            (
                entry.project_id,
                entry.service,
                entry.resource_id,
                entry.unit,
                base.format_volume(entry.volume),
                base.format_time(entry.start),
                base.format_time(entry.end),
            )
            for entry in usage_entries.entries(self.app.engine, self._filter(parsed_args), parsed_args.limit)
        )
        return usage_entries.UsageEntry._fields, rows


class UsageSummary(_UsageCommand):
    """Sum up usage.

    The database computes the sums. Volumes of different units are never added: there is a row for each unit, whatever
    else the usage is grouped by.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--group-by",
            type=_groups,
            default=["project", "service", "unit"],
            metavar="GROUP[,GROUP...]",
            help=f"any of {', '.join(usage_entries.GROUPS)} (default: project,service,unit); a period is the one in"
            " which the usage's window starts, in UTC",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        groups: list[str] = parsed_args.group_by
        totals = usage_entries.totals(self.app.engine, self._filter(parsed_args), groups, parsed_args.limit)
        names = {"project": "project_id", "resource": "resource_id"}
        rows = ((*total.group, base.format_volume(total.volume), total.entries) for total in totals)
        return (*(names.get(group, group) for group in groups), "volume", "entries"), rows


def _groups(value: str) -> list[str]:
    groups = list(dict.fromkeys(value.split(",")))
    for group in groups:
        if group not in usage_entries.GROUPS:
            raise argparse.ArgumentTypeError(f"{group!r} is not one of {', '.join(usage_entries.GROUPS)}")
    return groups if "unit" in groups else [*groups, "unit"]
