# SPDX-License-Identifier: Apache-2.0
"""How threads share what is read of periods."""

import datetime
import gc
import os
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any

from distil import exceptions
from distil import model
from distil.telemetry.snapshot import Snapshot
from distil.telemetry.snapshot import Snapshots
from distil.tests.support.processes import open_files
from distil.tests.support.processes import wait_for

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def window(number: int) -> model.Window:
    return model.Window(START + number * HOUR, START + (number + 1) * HOUR)


class Reader:
    """Reads periods: each has one row, of one project, as large as it is told."""

    def __init__(self) -> None:
        self.read: list[model.Window] = []
        self.errors: list[Exception | None] = []
        self.size = 0
        self.on_read: Callable[[], None] = lambda: None

    def __call__(self, period: model.Window, snapshot: Snapshot) -> None:
        self.read.append(period)
        self.on_read()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        snapshot.add("p1", [period.start.isoformat(), os.urandom(self.size)])


class SnapshotsCase(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self.reader = Reader()

    def snapshots(self, **arguments: Any) -> Snapshots:
        return Snapshots(self.reader, clock=lambda: self.now, sleep=self.sleep, **arguments)

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.now += seconds

    def in_threads(self, snapshots: Snapshots, number: int, windows: int = 1) -> list[Any]:
        """Get the snapshots of windows in many threads, which all wait at once; return the results and errors."""
        results: list[Any] = []
        everybody = threading.Barrier(number)
        last = threading.Semaphore(0)

        def get(index: int) -> None:
            everybody.wait()
            last.release()
            try:
                results.append(next(snapshots.get(window(index % windows)).rows("p1"))[0])
            except exceptions.TelemetryError as error:
                results.append(error)

        threads = [threading.Thread(target=get, args=(index,)) for index in range(number)]

        def wait_until_all_have_come() -> None:
            for _ in range(number):
                self.assertTrue(last.acquire(timeout=30))
            # Each has a few instructions left to where it waits.
            time.sleep(0.3)

        self.reader.on_read = wait_until_all_have_come if windows == 1 else lambda: None
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive())
        self.reader.on_read = lambda: None
        return results


class SharingTest(SnapshotsCase):
    def test_period_is_read_once_for_all_threads(self) -> None:
        results = self.in_threads(self.snapshots(), 8)
        self.assertEqual(8 * [START.isoformat()], results)
        self.assertEqual([window(0)], self.reader.read)

    def test_each_thread_gets_its_period(self) -> None:
        results = self.in_threads(self.snapshots(), 12, windows=3)
        expected = [window(number).start.isoformat() for number in range(3) for _ in range(4)]
        self.assertEqual(expected, sorted(results))
        self.assertEqual(3, len(self.reader.read))

    def test_one_period_is_read_at_a_time(self) -> None:
        snapshots = self.snapshots()
        reading, most = 0, 0
        lock = threading.Lock()

        def on_read() -> None:
            nonlocal reading, most
            with lock:
                reading += 1
                most = max(most, reading)
            time.sleep(0.02)
            with lock:
                reading -= 1

        self.reader.on_read = on_read
        threads = [threading.Thread(target=snapshots.get, args=(window(number),)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual((1, 4), (most, len(self.reader.read)))

    def test_failure_is_shared_by_those_that_wait(self) -> None:
        self.reader.errors = [exceptions.TelemetryError("HTTP 503", request="GET /")]
        results = self.in_threads(self.snapshots(), 8)
        self.assertEqual(8 * [("GET /: HTTP 503", False)], [(str(error), error.affects_all) for error in results])
        self.assertEqual(1, len(self.reader.read))


class FailureTest(SnapshotsCase):
    def fail(self, snapshots: Snapshots) -> exceptions.TelemetryError:  # type: ignore[override]
        with self.assertRaises(exceptions.TelemetryError) as caught:
            snapshots.get(window(0))
        return caught.exception

    def test_failed_period_is_read_again_after_pauses(self) -> None:
        self.reader.errors = [exceptions.TelemetryError("HTTP 503"), exceptions.TelemetryError("HTTP 502")]
        snapshots = self.snapshots()
        self.assertEqual(["HTTP 503", "HTTP 502"], [str(self.fail(snapshots)) for _ in range(2)])
        self.assertEqual(1, len(list(snapshots.get(window(0)).rows("p1"))))
        self.assertEqual([2.0, 4.0], self.slept)

    def test_third_failure_affects_all_for_a_minute(self) -> None:
        self.reader.errors = [exceptions.TelemetryError("HTTP 503") for _ in range(4)]
        snapshots = self.snapshots()
        self.assertEqual([False, False, True], [self.fail(snapshots).affects_all for _ in range(3)])
        self.now += 59.9
        for _ in range(20):
            self.assertTrue(self.fail(snapshots).affects_all)
        self.assertEqual(3, len(self.reader.read))
        self.now += 0.2
        self.assertTrue(self.fail(snapshots).affects_all)
        self.assertEqual(4, len(self.reader.read))
        self.now += 61
        snapshots.get(window(0))
        self.assertEqual([2.0, 4.0], self.slept)

    def test_incomplete_period_is_read_once(self) -> None:
        self.reader.errors = [exceptions.PeriodIncomplete("still to come", request="GET /status")]
        snapshots = self.snapshots()
        for _ in range(5):
            error = self.fail(snapshots)
            self.assertIsInstance(error, exceptions.PeriodIncomplete)
            self.assertEqual(("GET /status: still to come", True), (str(error), error.affects_all))
        self.assertEqual(([window(0)], []), (self.reader.read, self.slept))
        snapshots.get(window(1))

    def test_defect_is_logged_and_counts_as_failure(self) -> None:
        self.reader.errors = [KeyError("id") for _ in range(3)]
        snapshots = self.snapshots()
        with self.assertLogs(level="ERROR") as logs:
            found = [self.fail(snapshots) for _ in range(5)]
        self.assertEqual([False, False, True, True, True], [error.affects_all for error in found])
        self.assertEqual({"the samples of all projects could not be read: KeyError('id')"}, set(map(str, found)))
        self.assertEqual(3, len(logs.records))
        self.assertIn("Traceback", logs.output[0])

    def test_rows_of_failed_attempt_are_gone(self) -> None:
        def read(_: model.Window, snapshot: Snapshot) -> None:
            snapshot.add("p1", "row")
            if not self.slept:
                raise exceptions.TelemetryError("cut")

        snapshots = Snapshots(read, clock=lambda: self.now, sleep=self.sleep)
        self.fail(snapshots)
        self.assertEqual(["row"], list(snapshots.get(window(0)).rows("p1")))


class EvictionTest(SnapshotsCase):
    def test_old_snapshot_is_read_again(self) -> None:
        snapshots = self.snapshots(max_age=900)
        first = snapshots.get(window(0))
        self.now += 899
        self.assertIs(first, snapshots.get(window(0)))
        self.now += 1
        self.assertIsNot(first, snapshots.get(window(0)))

    def test_use_does_not_make_snapshot_younger(self) -> None:
        snapshots = self.snapshots(max_age=900)
        for _ in range(10):
            snapshots.get(window(0))
            self.now += 100
        self.assertEqual(2, len(self.reader.read))

    def test_least_recently_used_are_dropped_beyond_limit(self) -> None:
        self.reader.size = 10_000
        snapshots = self.snapshots(max_bytes=25_000)
        for number in (0, 1, 0, 2, 0, 1):
            snapshots.get(window(number))
        # 1 was dropped for 2, being used before 0.
        self.assertEqual([window(number) for number in (0, 1, 2, 1)], self.reader.read)

    def test_one_snapshot_is_kept_whatever_its_size(self) -> None:
        self.reader.size = 10_000
        snapshots = self.snapshots(max_bytes=10)
        for number in (0, 0, 0, 1, 1, 0):
            snapshots.get(window(number))
        self.assertEqual([window(number) for number in (0, 1, 0)], self.reader.read)

    def test_readers_go_on_after_eviction(self) -> None:
        self.reader.size = 10_000
        snapshots = self.snapshots(max_bytes=10)
        rows = snapshots.get(window(0)).rows("p1")
        snapshots.get(window(1))
        gc.collect()
        self.assertEqual(START.isoformat(), next(rows)[0])

    def test_failures_are_forgotten_in_the_end(self) -> None:
        snapshots = self.snapshots(max_age=900)
        for number in range(10):
            self.reader.errors = [exceptions.PeriodIncomplete("still to come")]
            with self.assertRaises(exceptions.TelemetryError):
                snapshots.get(window(number))
        self.now += 901
        snapshots.get(window(99))
        self.assertEqual([window(99)], list(snapshots._periods))

    def test_dropped_one_leaves_no_file(self) -> None:
        before = open_files()
        snapshots = self.snapshots()
        snapshots.get(window(0))
        del snapshots
        self.assertEqual(before, open_files())

    def test_disk_is_free_without_further_use(self) -> None:
        before = open_files()
        snapshots = Snapshots(self.reader, max_age=0.2)
        kept = [snapshots.get(window(number)) for number in range(3)]
        self.assertEqual(before + 3, open_files())
        del kept
        wait_for(lambda: open_files() == before)
