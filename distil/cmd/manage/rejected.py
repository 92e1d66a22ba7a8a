# SPDX-License-Identifier: Apache-2.0
"""``rejected list``, ``rejected show`` and ``rejected retry``."""

import argparse
import json
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from cliff import columns

from distil import exceptions
from distil import text
from distil.cmd.manage import base
from distil.conf.collector import CollectorOptions
from distil.conf.collector import collector_types
from distil.db import projects
from distil.db import rejected_samples

_Rows = tuple[Sequence[str], Iterator[Sequence[object]]]


class _Chosen(base.ListCommand):
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser, action="append", default=[])
        parser.add_argument("--meter", metavar="NAME", action="append", default=[], help="only of this meter")
        base.add_period(parser, "samples whose window begins")
        return parser

    def _chosen(self, arguments: argparse.Namespace, ids: Sequence[int] = ()) -> rejected_samples.RejectedSampleFilter:
        return rejected_samples.RejectedSampleFilter(
            ids=ids,
            projects=projects.find_ids(self.app.engine, arguments.project),
            meters=arguments.meter,
            start=arguments.start,
            end=arguments.end,
        )


class List(_Chosen):
    """List rejected samples, each with its reason, in the order in which they were rejected."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_limit(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Rows:
        rows = (
            (
                row.id,
                row.tenant_id,
                row.meter,
                row.resource_id,
                base.format_time(row.start),
                base.format_time(row.end),
                row.reason,
            )
            for row in rejected_samples.iterate(self.app.engine, self._chosen(parsed_args), parsed_args.limit)
        )
        return ("id", "project_id", "meter", "resource_id", "start", "end", "reason"), rows


class Show(base.ShowCommand):
    """Show a rejected sample as the telemetry service gave it, and why it was rejected."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID", type=int, help="its id, as rejected list shows it")
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
            "sample": _Document(sample.sample),
        }
        return tuple(fields), tuple(fields.values())


class Retry(_Chosen):
    """Rate rejected samples by the rules of today, and bill them where that works now, once.

    With a sample go the others that are kept of its resource and window. What has been billed is never changed. The
    status is 1 where a sample could not be billed.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="only these samples")
        parser.add_argument("--all", action="store_true", help="all rejected samples")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be billed, and change nothing")
        parser.add_argument(
            "--force",
            action="store_true",
            help="bill also beside what is stored of the same resource and window under another service or id",
        )
        parser.add_argument("--collector", metavar="NAME", help="by the rules of this one of the enabled collectors")
        self._parser = parser
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Rows:
        given = (parsed_args.ids, parsed_args.project, parsed_args.meter, parsed_args.start, parsed_args.end)
        if any(given) == parsed_args.all:
            self._parser.error("choose samples, or take --all")
        chosen = self._chosen(parsed_args, parsed_args.ids)
        rejected_samples.require_stored(self.app.engine, parsed_args.ids)
        # Slow to import, as all that speaks to the cloud.
        from distil.factory import collector  # noqa: PLC0415

        own = collector.CollectorFactory(self.app.conf, self._collector(parsed_args.collector))
        retry = own.retry(self.app.engine, dry_run=parsed_args.dry_run, force=parsed_args.force)
        return ("id", "project_id", "meter", "resource_id", "start", "result", "detail"), self._rows(retry, chosen)

    def _rows(self, retry: Any, chosen: rejected_samples.RejectedSampleFilter) -> Iterator[Sequence[object]]:
        for outcome in retry.run(chosen):
            sample = outcome.sample
            if not outcome.result.succeeded:
                self.status = 1
            yield (
                sample.id,
                sample.project_id,
                sample.meter,
                sample.resource_id,
                base.format_time(sample.window.start),
                str(outcome.result),
                outcome.detail,
            )

    def _collector(self, name: str | None) -> CollectorOptions:
        self.app.conf.set_override("chosen_collector", name)
        types = collector_types(self.app.conf)
        if len(types) > 1:
            names = ", ".join(each.name for each in types)
            raise exceptions.ConfigurationError(
                [f"several collectors are enabled: --collector has to name one of {names}"]
            )
        return types[0]


class _Document(columns.FormattableColumn[str]):
    """JSON text: for people with a line for each value, for programs a value."""

    def human_readable(self) -> str:
        value = self.machine_readable()
        shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        return "\n".join(map(text.escape_control, shown.split("\n")))

    def machine_readable(self) -> Any:
        try:
            return json.loads(self._value)
        except (RecursionError, ValueError):
            return self._value
