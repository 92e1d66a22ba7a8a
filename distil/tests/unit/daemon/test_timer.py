# SPDX-License-Identifier: Apache-2.0
"""When runs start."""

import datetime
import unittest
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from distil.collector.shutdown import Shutdown
from distil.daemon.timer import Timer

FIRST = datetime.datetime(2026, 3, 1, 12, 17, 5, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
RECHECK_AFTER = datetime.timedelta(minutes=5)


class Clock(Shutdown):
    """A clock that advances when it is slept on, and requests a shutdown after a day."""

    def __init__(self) -> None:
        super().__init__()
        self.now = FIRST

    def wait(self, seconds: float) -> bool:
        self.now += datetime.timedelta(seconds=seconds)
        if self.now > FIRST + 24 * HOUR:
            self.request()
        return self.requested

    def timer(self, interval: datetime.timedelta = HOUR) -> Timer:
        return Timer(interval, self, lambda: self.now, RECHECK_AFTER)

    def repeat(self, run: Callable[[], bool]) -> None:
        """Run at the timer's starts, as a collector's process does."""
        timer = self.timer()
        while not self.requested:
            timer.wait(has_skipped_projects=run())


class NextStartTest(unittest.TestCase):
    @given(st.timedeltas(-1000 * HOUR, 1000 * HOUR), st.timedeltas(datetime.timedelta(seconds=1), 5 * HOUR))
    def test_returns_first_grid_time_after_now(self, elapsed: datetime.timedelta, interval: datetime.timedelta) -> None:
        clock = Clock()
        timer = clock.timer(interval)
        clock.now += elapsed
        due = timer.next_start()
        self.assertEqual(datetime.timedelta(0), (due - FIRST) % interval)
        self.assertTrue(clock.now < due <= clock.now + interval)

    def test_stays_current_while_run_overruns(self) -> None:
        clock = Clock()
        timer = clock.timer()
        starts = []
        for minutes in (0, 50, 70):
            clock.now += datetime.timedelta(minutes=minutes)
            starts.append((timer.next_start() - FIRST) // HOUR)
        self.assertEqual([1, 1, 3], starts)


class TimerTest(unittest.TestCase):
    def starts(self, *durations: datetime.timedelta, has_skipped: bool = False) -> list[datetime.datetime]:
        """The starts within a day of runs with these durations, in turn."""
        clock = Clock()
        starts: list[datetime.datetime] = []

        def run() -> bool:
            starts.append(clock.now)
            clock.now += durations[(len(starts) - 1) % len(durations)]
            return has_skipped

        clock.repeat(run)
        return starts

    def recorded(self, on_start: Callable[[Clock, int], None]) -> list[datetime.datetime]:
        """The starts of runs that take no time.

        :param on_start: called with the number of starts so far.
        """
        clock = Clock()
        starts: list[datetime.datetime] = []

        def run() -> bool:
            starts.append(clock.now)
            on_start(clock, len(starts))
            return False

        clock.repeat(run)
        return starts

    def test_runs_keep_fixed_interval(self) -> None:
        starts = self.starts(datetime.timedelta(minutes=7), datetime.timedelta(minutes=59, seconds=59.9))
        self.assertEqual([FIRST + hour * HOUR for hour in range(25)], starts[:25])

    def test_skipped_projects_are_rechecked_soon(self) -> None:
        minute = datetime.timedelta(minutes=1)
        starts = self.starts(minute, has_skipped=True)
        self.assertEqual([FIRST, FIRST + minute + RECHECK_AFTER, FIRST + HOUR, FIRST + 2 * HOUR], starts[:4])
        self.assertEqual([FIRST, FIRST + HOUR], self.starts(59 * minute, has_skipped=True)[:2])

    def test_long_run_skips_missed_starts(self) -> None:
        with self.assertLogs("distil.daemon.timer", "WARNING") as logs:
            starts = self.starts(datetime.timedelta(minutes=130))
        self.assertEqual([FIRST + hour * HOUR for hour in range(0, 24, 3)], starts[:8])
        self.assertIn("2 starts were skipped", logs.output[0])

    def test_clock_set_back_keeps_interval(self) -> None:
        def set_back(clock: Clock, number: int) -> None:
            if number == 2:
                clock.now -= 365 * 24 * HOUR
            if number == 4:
                clock.request()

        starts = self.recorded(set_back)
        self.assertLessEqual(starts[2], starts[1] - 365 * 24 * HOUR + HOUR)
        self.assertEqual(HOUR, starts[3] - starts[2])
