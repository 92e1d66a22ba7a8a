# SPDX-License-Identifier: Apache-2.0
"""Which windows are due, and where a new project starts."""

import datetime
import unittest

from hypothesis import given
from hypothesis import strategies as st

from distil import model
from distil.collector.plan import Plan
from distil.collector.plan import floor

HOUR = datetime.timedelta(hours=1)
NOW = datetime.datetime(2026, 3, 1, 12, 34, 56, tzinfo=datetime.UTC)
MOMENTS = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1), timezones=st.just(datetime.UTC))


def project(created_on: str | None = None) -> model.Project:
    return model.Project("p", "p", "d", created_on=created_on)


class CollectionWindowsTest(unittest.TestCase):
    @given(MOMENTS, st.integers(0, 100), st.integers(0, 59), st.integers(1, 30))
    def test_windows_are_contiguous(self, end: datetime.datetime, hours: int, minutes: int, length: int) -> None:
        last_collected = end - datetime.timedelta(hours=hours, minutes=minutes)
        windows = list(Plan(collect_window=length).windows(last_collected, end))
        edges = [last_collected, *(window.end for window in windows)]
        self.assertEqual([window.start for window in windows], edges[:-1])
        self.assertTrue(all(window.hours == length for window in windows))
        self.assertLessEqual(edges[-1], end)
        self.assertGreater(edges[-1] + length * HOUR, end)

    def test_windows_keep_minutes_of_last_collected(self) -> None:
        windows = Plan().due(project(), floor(NOW) - datetime.timedelta(hours=2, minutes=-30), NOW).windows
        self.assertEqual([(10, 30)], [(window.start.hour, window.start.minute) for window in windows])

    def test_current_hour_is_not_due(self) -> None:
        self.assertEqual(0, Plan().due(project(), floor(NOW), NOW).planned)

    def test_oldest_windows_come_first(self) -> None:
        due = Plan(max_windows_per_cycle=2).due(project(), floor(NOW) - 5 * HOUR, NOW)
        self.assertEqual([7, 8, 9, 10, 11], [window.start.hour for window in due.windows])
        self.assertEqual((2, 2), (due.limit, due.planned))

    def test_end_lifts_limit(self) -> None:
        due = Plan(max_windows_per_cycle=0).due(project(), floor(NOW) - 5 * HOUR, NOW, floor(NOW) - HOUR)
        self.assertEqual((4, 4), (due.limit, due.planned))

    def test_zero_limit_plans_no_windows(self) -> None:
        self.assertEqual(0, Plan(max_windows_per_cycle=0).due(project(), floor(NOW) - 5 * HOUR, NOW).planned)

    @given(st.integers(0, 100_000), st.integers(0, 59))
    def test_window_is_due_after_delay(self, delay: int, minutes: int) -> None:
        plan = Plan(max_windows_per_cycle=1000, collection_delay=delay)
        last_collected = floor(NOW) - datetime.timedelta(hours=50, minutes=minutes)
        due = plan.due(project(), last_collected, NOW).windows
        waiting = [window for window in plan.windows(last_collected, floor(NOW)) if window not in due]
        delayed = NOW - datetime.timedelta(seconds=delay)
        self.assertTrue(all(window.end <= delayed for window in due))
        self.assertTrue(all(window.end > delayed for window in waiting))


class CollectionStartTest(unittest.TestCase):
    plan = Plan(max_collection_start_age=100)

    def test_start_defaults_to_maximum_age(self) -> None:
        self.assertEqual(floor(NOW) - 100 * HOUR, self.plan.start(project(), [], NOW))

    def test_oldest_last_collected_limits_start(self) -> None:
        collected = [floor(NOW) - 3 * HOUR, floor(NOW) - 7 * HOUR]
        self.assertEqual(floor(NOW) - 7 * HOUR, self.plan.start(project(), collected, NOW))

    def test_creation_time_decides(self) -> None:
        created = project("2026-03-01T09:59:59+00:00")
        for hours in (0, 7):
            self.assertEqual(floor(NOW) - 3 * HOUR, self.plan.start(created, [floor(NOW) - hours * HOUR], NOW))

    def test_maximum_age_limits_creation_time(self) -> None:
        created = project("2020-03-01T09:59:59+00:00")
        self.assertEqual(floor(NOW) - 100 * HOUR, self.plan.start(created, [floor(NOW)], NOW))

    def test_created_on_respects_time_zone(self) -> None:
        self.assertEqual(9, self.plan.start(project("2026-03-01T22:10:00+13:00"), [], NOW).hour)

    def test_unreadable_created_on_is_ignored(self) -> None:
        self.assertEqual(floor(NOW) - 100 * HOUR, self.plan.start(project("last tuesday"), [], NOW))

    def test_future_created_on_starts_now(self) -> None:
        self.assertEqual(floor(NOW), self.plan.start(project("2999-01-01"), [], NOW))

    @given(MOMENTS, st.lists(MOMENTS), st.integers(0, 5000))
    def test_start_is_past_full_hour(
        self, now: datetime.datetime, collected: list[datetime.datetime], age: int
    ) -> None:
        start = Plan(max_collection_start_age=age).start(project(), collected, now)
        self.assertEqual(start, floor(start))
        self.assertLessEqual(start, now)
        self.assertGreater(start, now - (age + 1) * HOUR)
