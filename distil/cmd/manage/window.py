# SPDX-License-Identifier: Apache-2.0
"""``window gaps``, ``window list`` and ``window show``."""

import argparse
import datetime
import json
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.cmd.manage import completeness
from distil.cmd.manage import period_options
from distil.completeness import GAPS
from distil.completeness import ProjectRecord
from distil.completeness import WindowRange
from distil.completeness import WindowState
from distil.db import collected_window
from distil.db import known_projects
from distil.db import late_windows
from distil.db import projects
from distil.db import revisions
from distil.db.documents import Documents
from distil.db.late_windows import WindowKey
from distil.db.receipts import StoredReceipt
from distil.db.stored_windows import StoredWindow
from distil.db.windows import PeriodWindows
from distil.db.windows import ProjectWindows
from distil.model import Window

_ORIGIN = ("committed", "collector", "telemetry", "revision", "suspect", "closed_period")
_CONTENTS = ("samples", "used", "untrusted", "duplicates", "rejected", "entries", "samples_digest", "usage_digest")


class _WindowCommand(base.ListCommand):
    """Has the options that choose windows."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        base.add_project(parser)
        period_options.add_period(parser, "windows that start")
        return parser

    def _windows(self, arguments: argparse.Namespace) -> PeriodWindows:
        """The windows that the options choose; those that have not ended yet are not among them."""
        chosen = period_options.read_period(arguments, self.refuse)
        if chosen.start is None:
            self.refuse("choose a period with --start or --month")
        end = completeness.collectable_end(chosen.end)
        if end <= chosen.start:
            self.refuse("no window of the period has ended yet")
        ids = known_projects.find_ids(self.app.engine, arguments.project)
        return PeriodWindows(self.app.engine, Window(chosen.start, end), ids)


class WindowList(_WindowCommand):
    """List the windows of a period, those that were not collected among them, with their states.

    complete: collected, with samples. empty: collected, without any. unrecorded: collected before there were receipts.
    rejected: some samples were not billed. suspect: samples may be missing. late: the telemetry service holds other
    samples than were collected. failed: the last run could not collect it. missing: not collected.
    """

    SUBJECT = "windows"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--state",
            action="append",
            default=[],
            choices=[state.value for state in WindowState],
            help="only windows in this state; can be repeated",
        )
        base.add_limit(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        columns = ("project_id", "project", "start", "end", "state", "reason")
        found = self._windows(parsed_args).iterate_each()
        states = frozenset(map(WindowState, parsed_args.state or WindowState))
        zone = parsed_args.time_zone
        rows = (
            (project.id, project.name, *_times(window, zone), window.state.value, window.reason or None)
            for project, window in _in_states(found, states)
        )
        return columns, rows


class WindowGaps(_WindowCommand):
    """List what a period lacks: windows that are missing, failed, late, suspect or have rejected samples.

    Adjoining windows of a project with the same reason share a row. Empty windows and those from before there were
    receipts are no gaps. The exit status is 1 if there is a gap.
    """

    SUBJECT = "gaps"

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        columns = ("project_id", "project", "start", "end", "windows", "state", "reason")
        return columns, self._rows(self._windows(parsed_args), parsed_args.time_zone)

    def _rows(self, period: PeriodWindows, zone: datetime.tzinfo) -> Iterator[Sequence[object]]:
        for project, gap in _in_states(period.iterate(), GAPS):
            self.failures.add(True)
            yield project.id, project.name, *_times(gap, zone), gap.number, gap.state.value, gap.reason


class WindowShow(base.ShowCommand):
    """Show the receipt of a window: what went in, what came out, by what rules, and how it was changed since."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        period_options.add_window(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        engine = self.app.engine
        (project_id,) = projects.find_ids(engine, [parsed_args.project])
        found = collected_window.find(engine, project_id, parsed_args.start)
        fields = {
            "project_id": project_id,
            "start": base.format_time(found.window.start),
            "end": base.format_time(found.window.end),
            **self._state(found),
            **self._receipt(found.receipt),
            "history": base.JSONColumn(json.dumps(self._history(found))),
        }
        return tuple(fields), tuple(fields.values())

    def _state(self, found: StoredWindow) -> dict[str, object]:
        period = PeriodWindows(self.app.engine, found.window, [found.project_id])
        state = next(window for _, window in _in_states(period.iterate(), frozenset(WindowState)))
        late = late_windows.get(self.app.engine, WindowKey(found.project_id, found.window.start))
        return {
            "state": state.state.value,
            "reason": state.reason or None,
            "samples_held": late and late.samples,
            "compared": base.format_time(late and late.checked),
        }

    def _receipt(self, receipt: StoredReceipt | None) -> dict[str, object]:
        """The fields of a receipt, without values if the window is unrecorded."""
        if receipt is None:
            return dict.fromkeys((*_ORIGIN, *_CONTENTS, "meters", "rules", "names"))
        documents = Documents(self.app.engine).load([receipt.rules, receipt.names])
        meters = {name: count._asdict() for name, count in sorted(receipt.contents.meters.items())}
        return {
            **{name: getattr(receipt, name) for name in _ORIGIN},
            "committed": base.format_time(receipt.committed),
            **{name: getattr(receipt.contents, name) for name in _CONTENTS},
            "meters": base.JSONColumn(json.dumps(meters)),
            "rules": documents[receipt.rules].digest,
            "names": base.JSONColumn(documents[receipt.names].body),
        }

    def _history(self, found: StoredWindow) -> list[dict[str, object]]:
        changes = revisions.read(self.app.engine, found.project_id, found.window.start)
        return [
            {
                "revision": change.revision + 1,
                "made": base.format_time(change.changed),
                "by": change.changed_by,
                "reason": change.reason,
            }
            for change in changes
        ]


def _in_states(
    found: Iterable[ProjectWindows], states: Collection[WindowState]
) -> Iterator[tuple[ProjectRecord, WindowRange]]:
    for project, ranges in found:
        for each in ranges:
            if each.state in states:
                yield project, each


def _times(found: WindowRange, zone: datetime.tzinfo) -> Iterator[str | None]:
    return (base.format_time(time, zone) for time in (found.window.start, found.window.end))
