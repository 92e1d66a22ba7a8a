# SPDX-License-Identifier: Apache-2.0
"""``rejected list``, ``rejected show`` and ``rejected retry``."""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from distil.cmd.manage import base
from distil.cmd.manage import collectors as collector_options
from distil.cmd.manage import period_options
from distil.cmd.manage.operator_name import operator_name
from distil.db import privileges
from distil.db import projects
from distil.db import rejected_samples


class _RejectedCommand(base.ListCommand):
    """Has the options that choose rejected samples."""

    SUBJECT = "rejected samples"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser)
        parser.add_argument(
            "--meter", metavar="NAME", action="append", default=[], help="only this meter; can be repeated"
        )
        period_options.add_period(parser, "samples whose window starts")
        return parser

    def _filter(self, arguments: argparse.Namespace, ids: Sequence[int] = ()) -> rejected_samples.RejectedSampleFilter:
        chosen = period_options.read_period(arguments, self.refuse)
        return rejected_samples.RejectedSampleFilter(
            ids=ids,
            projects=projects.find_ids(self.app.engine, arguments.project),
            meters=arguments.meter,
            start=chosen.start,
            end=chosen.end,
        )


class RejectedList(_RejectedCommand):
    """List rejected samples with their reasons, in the order of rejection."""

    SORTED_BY_DATABASE = True

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_limit(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        names = ("id", "project_id", "meter", "resource_id", "start", "end", "reason")
        order = self.sort_keys(parsed_args, names)
        rows = (
            (
                row.id,
                row.tenant_id,
                row.meter,
                row.resource_id,
                base.format_time(row.start, parsed_args.time_zone),
                base.format_time(row.end, parsed_args.time_zone),
                row.reason,
            )
            for row in rejected_samples.iterate(self.app.engine, self._filter(parsed_args), parsed_args.limit, order)
        )
        return names, rows


class RejectedShow(base.ShowCommand):
    """Show a rejected sample as received from the telemetry service, and why it was rejected."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID", type=int, help="ID as shown by rejected list")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        sample = rejected_samples.get(self.app.engine, parsed_args.id)
        fields = {
            "id": sample.id,
            "project_id": sample.project_id,
            "meter": sample.meter,
            "resource_id": sample.resource_id,
            "start": base.format_time(sample.window.start),
            "end": base.format_time(sample.window.end),
            "reason": sample.reason,
            "rejected": base.format_time(sample.created),
            "sample": base.JSONColumn(sample.sample),
        }
        return tuple(fields), tuple(fields.values())


class RejectedRetry(_RejectedCommand):
    """Rate rejected samples by the current rules, and bill those that are accepted now, once.

    A sample is rated together with the other rejected samples of its resource and window. What has been billed is never
    changed. The exit status is 1 if a sample could not be billed.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="only these samples")
        parser.add_argument("--all", action="store_true", help="all rejected samples")
        base.add_dry_run(parser, "billed")
        parser.add_argument(
            "--force",
            action="store_true",
            help="bill even if other usage of the same resource and window is stored under another service or ID",
        )
        parser.add_argument("--collector", metavar="NAME", help="use the rules of this one of the enabled collectors")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        criteria = [getattr(parsed_args, name) for name in ("ids", "project", "meter", "start", "end", "month")]
        if any(criteria) == parsed_args.all:
            self.refuse("choose samples, or use --all")
        chosen = self._filter(parsed_args, parsed_args.ids)
        rejected_samples.require_stored(self.app.engine, parsed_args.ids)
        if not parsed_args.dry_run:
            privileges.require_retry(self.app.engine)
        # Slow to import, as everything that speaks to the cloud.
        from distil.factory.replay import build_reprocessor  # noqa: PLC0415

        reprocessor = build_reprocessor(
            self.app.conf,
            collector_options.choose_one(self.app.conf, parsed_args.collector),
            self.app.engine,
            changed_by=operator_name(),
            dry_run=parsed_args.dry_run,
            force=parsed_args.force,
        )
        names = ("id", "project_id", "meter", "resource_id", "start", "result", "detail")
        return names, self._rows(reprocessor.run(chosen))

    def _rows(self, outcomes: Iterator[Any]) -> Iterator[Sequence[object]]:
        for outcome in outcomes:
            self.failures.add(not outcome.result.succeeded)
            sample = outcome.sample
            yield (
                sample.id,
                sample.project_id,
                sample.meter,
                sample.resource_id,
                base.format_time(sample.window.start),
                str(outcome.result),
                outcome.detail,
            )
