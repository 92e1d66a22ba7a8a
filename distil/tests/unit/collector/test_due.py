# SPDX-License-Identifier: Apache-2.0
"""The windows that are due."""

import datetime
import unittest

from hypothesis import given
from hypothesis import strategies as st

from distil.collector.due import Allowance
from distil.collector.due import WindowRange

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class WindowRangeTest(unittest.TestCase):
    @given(st.integers(0, 9), st.integers(-10, 10), st.integers(-10, 10))
    def test_slices_like_a_list(self, count: int, first: int, last: int) -> None:
        windows = WindowRange(START, 2 * HOUR, count)
        everything = list(windows)
        self.assertEqual(everything[first:last], list(windows[first:last]))
        self.assertEqual(everything[first:], list(windows[first:]))
        self.assertEqual(everything[-1:], list(windows[-1:]))

    def test_windows_are_adjacent(self) -> None:
        windows = WindowRange(START, 2 * HOUR, 3)
        edges = [START + hours * HOUR for hours in (0, 2, 4, 6)]
        self.assertEqual(edges[:-1], [window.start for window in windows])
        self.assertEqual(edges[1:], [window.end for window in windows])
        with self.assertRaises(IndexError):
            windows[3]
        with self.assertRaises(ValueError):
            windows[::2]

    def test_equal_ranges_are_equal(self) -> None:
        self.assertEqual(WindowRange(START + HOUR, HOUR, 2), WindowRange(START, HOUR, 3)[1:])

    def test_committed_windows_are_left_out(self) -> None:
        windows = WindowRange(START, HOUR, 3)
        self.assertEqual(windows[1:], windows.after(START + HOUR))
        for other in (None, START - HOUR, START + 3 * HOUR, START + HOUR / 2):
            self.assertEqual(0, len(windows.after(other)))


class AllowanceTest(unittest.TestCase):
    def test_allows_so_many(self) -> None:
        allowance = Allowance(2)
        self.assertEqual([True, True, False, False], [allowance.take() for _ in range(4)])
