# SPDX-License-Identifier: Apache-2.0
"""Compares windows by the numbers of samples that the telemetry service says it holds, of all projects at once."""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil.cloud import request_observer
from distil.collector.comparison import ComparedWindow
from distil.collector.comparison import Finding
from distil.collector.comparison import MeterDifference
from distil.collector.comparison import RecordedMeters
from distil.collector.comparison import judge
from distil.collector.count_table import CountTable
from distil.collector.count_table import Grid
from distil.collector.count_table import grids
from distil.collector.shutdown import Shutdown
from distil.collector.strangers import Strangers
from distil.db.collected_windows import CollectedWindows
from distil.db.collected_windows import KnownProject
from distil.db.rechecks import RecheckMethod
from distil.telemetry.driver import TelemetryDriver

_COUNTS_PER_HEARTBEAT = 10_000


class CountComparison:
    """Compares numbers of samples, and finds the projects with samples that no run has seen.

    :param telemetry: a driver that can count.
    :param name: of the telemetry service, with the driver's.
    :param meters: of the current rules: those of projects that no run has seen.
    :param strangers: None: only projects with receipts are compared.
    """

    method = RecheckMethod.COUNTS

    def __init__(
        self,
        *,
        telemetry: TelemetryDriver,
        name: str,
        windows: CollectedWindows,
        recorded_meters: RecordedMeters,
        meters: Sequence[str],
        strangers: Strangers | None,
        shutdown: Shutdown,
    ) -> None:
        self._telemetry = telemetry
        self._name = name
        self._windows = windows
        self._recorded_meters = recorded_meters
        self._meters = meters
        self._strangers = strangers
        self._shutdown = shutdown

    def compare(self, period: model.Window) -> Iterator[ComparedWindow]:
        recorded = self._windows.recorded(period)
        by_rules = self._recorded_meters.load({window.rules for window in recorded})
        asked = sorted({*self._meters, *(name for window in recorded for name in by_rules[window.rules])})
        # Projects whose windows are in another grid than most.
        elsewhere: set[str] = set()
        main: tuple[Grid, CountTable] | None = None
        done: defaultdict[str, set[int]] = defaultdict(set)
        for grid in grids(recorded):
            table = self._count(grid, asked)
            main = main or (grid, table)
            starts = {window.start for window, _, _ in recorded if grid.has(window)}
            for receipt in self._windows.receipts(starts):
                if not grid.has(receipt.window):
                    continue
                if main[0] is grid:
                    done[receipt.project_id].add((receipt.window.start - grid.start) // grid.length)
                else:
                    elsewhere.add(receipt.project_id)
                start = receipt.window.start
                held = table.held(receipt.project_id, start, by_rules[receipt.rules])
                yield judge(receipt, held, table.has_samples(start))
        if main and self._strangers:
            remaining = [item for item in main[1].remaining(self._meters, done) if item[0] not in elsewhere]
            yield from self._without_receipt(*main, remaining, self._strangers)

    def _count(self, grid: Grid, meters: Sequence[str]) -> CountTable:
        table = CountTable(grid, meters)
        with request_observer.attribute_requests_to(self._telemetry.service_type):
            counts = self._telemetry.counts(meters, grid.start, grid.end, grid.length)
            if counts is None:
                raise exceptions.TelemetryError(f"{self._name}: the driver cannot count samples")
            for number, count in enumerate(counts):
                if not number % _COUNTS_PER_HEARTBEAT:
                    self._shutdown.heartbeat()
                    self._shutdown.raise_if_requested()
                table.add(count)
        return table

    def _without_receipt(
        self, grid: Grid, table: CountTable, remaining: Sequence[tuple[str, int]], strangers: Strangers
    ) -> Iterator[ComparedWindow]:
        """The windows with samples that have no receipt, unless their time to be collected may still come."""
        known, newest = self._windows.known_projects(), self._windows.newest_end()
        missed = strangers.in_scope({project_id for project_id, _ in remaining} - known.keys())
        missed |= {project_id for project_id, project in known.items() if project.has_ended and self._is_mine(project)}
        for project_id, part in remaining:
            window = grid.window(part)
            held = table.held(project_id, window.start, self._meters)
            total = sum(held.values())
            project = known.get(project_id)
            if project and self._is_mine(project) and project.last_collected and window.end <= project.last_collected:
                yield ComparedWindow(project_id, window, Finding.UNRECORDED, total)
            elif project_id in missed and newest and window.end <= newest:
                differences = [MeterDifference(name, 0, number) for name, number in sorted(held.items()) if number]
                yield ComparedWindow(project_id, window, Finding.NEVER_COLLECTED, total, None, differences)

    def _is_mine(self, project: KnownProject) -> bool:
        return project.telemetry in (None, self._name)
