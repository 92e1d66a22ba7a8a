# SPDX-License-Identifier: Apache-2.0
"""``usage list`` and ``usage summary``."""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.db import projects
from distil.db import usage_entries

_Rows = tuple[Sequence[str], Iterator[Sequence[object]]]


class _Usage(base.ListCommand):
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser, action="append", default=[])
        base.add_period(parser, "usage whose window begins")
        for option, what in (("service", "NAME"), ("resource", "ID")):
            parser.add_argument(
                f"--{option}", metavar=what, action="append", default=[], help=f"only of this {option}; can be repeated"
            )
        base.add_limit(parser)
        return parser

    def _chosen(self, arguments: argparse.Namespace) -> usage_entries.UsageFilter:
        return usage_entries.UsageFilter(
            projects=projects.find_ids(self.app.engine, arguments.project),
            services=arguments.service,
            resources=arguments.resource,
            start=arguments.start,
            end=arguments.end,
        )


class List(_Usage):
    """List usage entries, by project, start, service and resource.

    The formats csv, value and jsonl show each row as it is read, however many there are; the others hold all of them
    in memory first.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> _Rows:
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
            for entry in usage_entries.entries(self.app.engine, self._chosen(parsed_args), parsed_args.limit)
        )
        return usage_entries.UsageEntry._fields, rows


class Summary(_Usage):
    """Add usage up.

    The database does the sums. Volumes of different units are never added: there is a row for each unit, whatever else
    it is grouped by.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--group-by",
            type=_groups,
            default=["project", "service", "unit"],
            metavar="GROUP[,GROUP...]",
            help=f"any of {', '.join(usage_entries.GROUPS)} (project,service,unit); a period is the one in which the"
            " usage's window begins, in UTC",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Rows:
        groups: list[str] = parsed_args.group_by
        found = usage_entries.totals(self.app.engine, self._chosen(parsed_args), groups, parsed_args.limit)
        names = {"project": "project_id", "resource": "resource_id"}
        rows = ((*total.group, base.format_volume(total.volume), total.entries) for total in found)
        return (*(names.get(group, group) for group in groups), "volume", "entries"), rows


def _groups(value: str) -> list[str]:
    groups = list(dict.fromkeys(value.split(",")))
    for group in groups:
        if group not in usage_entries.GROUPS:
            raise argparse.ArgumentTypeError(f"{group!r} is none of {', '.join(usage_entries.GROUPS)}")
    return groups if "unit" in groups else [*groups, "unit"]
