# SPDX-License-Identifier: Apache-2.0
"""Numbers of samples by project, window and meter."""

import datetime
import unittest
from collections import Counter

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil.collector.count_table import CountTable
from distil.collector.count_table import Grid
from distil.collector.count_table import grids
from distil.db.collected_windows import RecordedWindow
from distil.telemetry.driver import SampleCount

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)

_WINDOWS = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from((20, 60, 120, 360)), st.integers(1, 9)), min_size=1, max_size=20
)
_COUNTS = st.lists(
    st.tuples(st.sampled_from("pqr"), st.sampled_from(("a", "b", "other")), st.integers(-2, 5), st.integers(0, 9))
)


class GridTest(unittest.TestCase):
    @hypothesis.given(_WINDOWS)
    def test_every_window_is_in_exactly_one_grid(self, drawn: list[tuple[int, int, int]]) -> None:
        recorded = [
            RecordedWindow(model.Window(START + minute * MINUTE, START + (minute + length) * MINUTE), 1, number)
            for minute, length, number in drawn
        ]
        found = grids(recorded)
        for window, _, _ in recorded:
            (grid,) = [grid for grid in found if grid.has(window)]
            part = grid.part(window.start)
            self.assertIsNotNone(part)
            self.assertEqual(window, grid.window(part or 0))
        for grid in found:
            self.assertIn(grid.start, {window.start for window, _, _ in recorded})
            self.assertIn(grid.end, {window.end for window, _, _ in recorded})

    def test_most_receipts_come_first(self) -> None:
        windows = [model.Window(START + minute * MINUTE, START + minute * MINUTE + HOUR) for minute in (0, 17, 60)]
        recorded = [RecordedWindow(window, 1, number) for window, number in zip(windows, (2, 3, 2), strict=True)]
        self.assertEqual([Grid(START, HOUR, 2), Grid(START + 17 * MINUTE, HOUR, 1)], grids(recorded))


class CountTableTest(unittest.TestCase):
    @hypothesis.given(_COUNTS)
    def test_numbers_are_sums(self, drawn: list[tuple[str, str, int, int]]) -> None:
        table = CountTable(Grid(START, HOUR, 4), ["a", "b"])
        expected: Counter[tuple[str, str, int]] = Counter()
        for project_id, meter, hour, number in drawn:
            table.add(SampleCount(project_id, meter, START + hour * HOUR, number))
            if 0 <= hour < 4 and meter != "other":
                expected[project_id, meter, hour] += number
        for hour in range(4):
            total = 0
            for project_id in "pqr":
                held = table.held(project_id, START + hour * HOUR, ["a", "b"])
                self.assertEqual({meter: expected[project_id, meter, hour] for meter in "ab"}, held)
                total += sum(held.values())
            self.assertEqual(total > 0, table.has_samples(START + hour * HOUR))
        left = {(project_id, hour) for (project_id, meter, hour), number in expected.items() if meter == "a" and number}
        self.assertEqual(left - {("p", 1)}, set(table.remaining(["a"], {"p": {1}})))

    def test_time_between_windows_is_no_window(self) -> None:
        table = CountTable(Grid(START, HOUR, 4), ["a"])
        table.add(SampleCount("p", "a", START + MINUTE, 1))
        self.assertEqual({"a": 0}, table.held("p", START, ["a"]))
        self.assertEqual({"a": 0}, table.held("p", START + MINUTE, ["a"]))
