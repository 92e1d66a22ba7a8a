# SPDX-License-Identifier: Apache-2.0
"""Rechecks a period: compares its windows with what the telemetry service holds now, and stores which are late."""

import datetime
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.collector.comparison import ComparedWindow
from distil.collector.comparison import Comparison
from distil.collector.comparison import Finding
from distil.db import late_windows
from distil.db import rechecks
from distil.db.collected_windows import CollectedWindows
from distil.db.late_windows import WindowKey
from distil.db.rechecks import NewRecheck
from distil.db.rechecks import RecheckMethod

# Compared at once: few questions, and few numbers in memory.
_DAY = datetime.timedelta(days=1)


class ComparedPeriod(NamedTuple):
    """What was found of the windows that begin in a period.

    :param windows: number of windows that were compared.
    :param found: all but the equal ones.
    :param new: number of late windows that were not known to be late.
    """

    period: model.Window
    windows: int
    found: Sequence[ComparedWindow]
    new: int

    @property
    def late(self) -> Sequence[ComparedWindow]:
        """The windows of which the telemetry service holds other samples than were collected."""
        return [window for window in self.found if window.is_late]

    def count(self, finding: Finding) -> int:
        """How many windows this was found of."""
        return sum(window.finding is finding for window in self.found)


class Rechecker:
    """Compares windows and stores what it finds.

    :param collector: its name.
    :param telemetry: name of the driver and region of its service.
    :param projects: that are compared; without any, all.
    :ivar method: what is compared.
    :param may_delete: whether windows that are not late any more are deleted, and others brought up to date; if not,
        late windows are only added.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        comparison: Comparison,
        windows: CollectedWindows,
        collector: str,
        telemetry: str,
        projects: Sequence[str] = (),
        may_delete: bool = False,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._engine = engine
        self._comparison = comparison
        self.method = comparison.method
        self._windows = windows
        self._collector = collector
        self.telemetry = telemetry
        self._projects = projects
        self._may_delete = may_delete
        self._clock = clock

    def run(self, period: model.Window) -> Iterator[ComparedPeriod]:
        """Compare the windows that begin in a period, day by day; what a day has is stored before it is yielded.

        Once all are compared, it is stored that the period is, unless only some projects were, or the service holds
        nothing of a window any more.

        :raises TelemetryError: the service gave no usable answer.
        :raises StoreError: the database failed.
        :raises NotFound: the rules of a window are missing.
        :raises ShutdownRequested: a shutdown was requested.
        """
        windows = late = not_held = 0
        for day in period.split(_DAY):
            compared = self._compare(day)
            windows, late = windows + compared.windows, late + len(compared.late)
            not_held += compared.count(Finding.NOT_HELD)
            yield compared
        if not self._projects and not not_held:
            new = NewRecheck(period, self._collector, self.telemetry, self.method, windows, late)
            rechecks.insert(self._engine, new, self._now())

    def count_others(self, period: model.Window) -> int:
        """Number of windows in a period that were collected from other telemetry services, and are not compared.

        :raises StoreError: the database failed.
        """
        return self._windows.count_others(period)

    def collected(self, start: datetime.datetime, end: datetime.datetime | None) -> model.Window:
        """The part of a period from the oldest window to the end of the newest.

        :raises NotFound: there is none.
        :raises StoreError: the database failed.
        """
        oldest, newest = self._windows.oldest_start(), self._windows.newest_end()
        if oldest is None or newest is None:
            raise exceptions.NotFound(f"no window that was collected from {self.telemetry} has a receipt")
        last = min(end, newest) if end else newest
        if start >= last:
            raise exceptions.NotFound(f"nothing is collected yet after {start:%Y-%m-%dT%H:%M:%SZ}")
        if oldest >= last:
            raise exceptions.NotFound(f"nothing is collected before {oldest:%Y-%m-%dT%H:%M:%SZ}")
        return model.Window(max(start, oldest), last)

    def _compare(self, period: model.Window) -> ComparedPeriod:
        known = late_windows.stored_keys(self._engine, period, self._projects)
        found: list[ComparedWindow] = []
        settled: set[WindowKey] = set()
        equal = 0
        for window in self._comparison.compare(period):
            if window.finding is not Finding.EQUAL:
                found.append(window)
                continue
            equal += 1
            if window.key in known:
                settled.add(window.key)
        compared = ComparedPeriod(
            period,
            equal + sum(window.finding is Finding.LATE for window in found),
            found,
            len({window.key for window in found if window.is_late} - known),
        )
        self._store(compared, settled | self._without_samples(known - settled, compared))
        return compared

    def _store(self, compared: ComparedPeriod, settled: set[WindowKey]) -> None:
        late = [window.as_late() for window in compared.late]
        if self._may_delete:
            late_windows.replace(self._engine, late, settled, self._now())
        else:
            late_windows.insert(self._engine, late, self._now())

    def _now(self) -> datetime.datetime:
        return self._clock().replace(microsecond=0)

    def _without_samples(self, keys: set[WindowKey], compared: ComparedPeriod) -> set[WindowKey]:
        """Those of the late windows without a receipt that have no samples any more, while others have."""
        finds_all = self.method is RecheckMethod.COUNTS and not self._projects
        if not keys or not finds_all or compared.count(Finding.NOT_HELD):
            return set()
        stored = self._windows.known_projects()
        elsewhere = {name for name, project in stored.items() if project.telemetry not in (None, self.telemetry)}
        found = {window.key for window in compared.found}
        return {key for key in keys - found if key.project_id not in elsewhere}
