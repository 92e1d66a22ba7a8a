# SPDX-License-Identifier: Apache-2.0
"""When runs start."""

import datetime
import unittest
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from distil.collector.shutdown import Shutdown
from distil.daemon.timer import next_start
from distil.daemon.timer import repeat

FIRST = datetime.datetime(2026, 3, 1, 12, 17, 5, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
SECOND_LOOK = datetime.timedelta(minutes=5)


class Clock(Shutdown):
    """A clock that passes when somebody sleeps on it, and stops everything after a day."""

    def __init__(self) -> None:
        super().__init__()
        self.now = FIRST

    def wait(self, seconds: float) -> bool:
        self.now += datetime.timedelta(seconds=seconds)
        if self.now > FIRST + 24 * HOUR:
            self.request()
        return self.requested


class NextStartTest(unittest.TestCase):
    @given(st.timedeltas(-1000 * HOUR, 1000 * HOUR), st.timedeltas(datetime.timedelta(seconds=1), 5 * HOUR))
    def test_returns_first_grid_time_after_now(self, passed: datetime.timedelta, interval: datetime.timedelta) -> None:
        due = next_start(FIRST, interval, FIRST + passed)
        self.assertEqual(datetime.timedelta(0), (due - FIRST) % interval)
        self.assertTrue(FIRST + passed < due <= FIRST + passed + interval)


class TimerTest(unittest.TestCase):
    def starts(self, *durations: datetime.timedelta, left: bool = False) -> list[datetime.datetime]:
        """Starts within a day of runs that take so long, in turns, and leave something to others or not."""
        clock = Clock()
        starts: list[datetime.datetime] = []

        def run() -> bool:
            starts.append(clock.now)
            clock.now += durations[(len(starts) - 1) % len(durations)]
            return left

        repeat(run, HOUR, clock, lambda: clock.now, lambda _: None, SECOND_LOOK)
        return starts

    def test_runs_keep_fixed_interval(self) -> None:
        starts = self.starts(datetime.timedelta(minutes=7), datetime.timedelta(minutes=59, seconds=59.9))
        self.assertEqual([FIRST + hour * HOUR for hour in range(25)], starts[:25])

    def test_skipped_projects_are_rechecked_soon(self) -> None:
        minute = datetime.timedelta(minutes=1)
        starts = self.starts(minute, left=True)
        self.assertEqual([FIRST, FIRST + minute + SECOND_LOOK, FIRST + HOUR, FIRST + 2 * HOUR], starts[:4])
        self.assertEqual([FIRST, FIRST + HOUR], self.starts(59 * minute, left=True)[:2])

    def test_long_run_skips_missed_starts(self) -> None:
        with self.assertLogs("distil.daemon.timer", "WARNING") as logs:
            starts = self.starts(datetime.timedelta(minutes=130))
        self.assertEqual([FIRST + hour * HOUR for hour in range(0, 24, 3)], starts[:8])
        self.assertIn("2 starts were missed", logs.output[0])

    def test_next_start_stays_current_during_overrun(self) -> None:
        clock = Clock()
        announced: list[Callable[[], datetime.datetime]] = []
        starts = []

        def run() -> bool:
            for minutes in (0, 50, 70):
                clock.now += datetime.timedelta(minutes=minutes)
                starts.append((announced[0]() - FIRST) // HOUR)
            clock.request()
            return False

        repeat(run, HOUR, clock, lambda: clock.now, announced.append, SECOND_LOOK)
        self.assertEqual([1, 1, 3], starts)

    def test_clock_set_back_keeps_interval(self) -> None:
        clock = Clock()
        starts: list[datetime.datetime] = []

        def run() -> bool:
            starts.append(clock.now)
            if len(starts) == 2:
                clock.now -= 365 * 24 * HOUR
            if len(starts) == 4:
                clock.request()
            return False

        repeat(run, HOUR, clock, lambda: clock.now, lambda _: None, SECOND_LOOK)
        self.assertLessEqual(starts[2], starts[1] - 365 * 24 * HOUR + HOUR)
        self.assertEqual(HOUR, starts[3] - starts[2])

    def test_early_shutdown_prevents_first_run(self) -> None:
        clock = Clock()
        clock.request()
        repeat(lambda: self.fail("it ran"), HOUR, clock, lambda: clock.now, lambda _: None, SECOND_LOOK)
