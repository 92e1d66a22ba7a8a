# SPDX-License-Identifier: Apache-2.0
"""What is read of a period for all projects at once, and kept on disk."""

import datetime
import gc
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any

import hypothesis
import msgspec
from hypothesis import strategies as st

from distil import exceptions
from distil import model
from distil.telemetry.snapshot import Snapshot
from distil.telemetry.snapshot import Snapshots
from distil.tests.support import strategies
from distil.tests.support.processes import wait_for

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)

_FILLS_DISK = """
import resource, signal, sys
from distil import exceptions
from distil.telemetry.snapshot import Snapshot
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
snapshot = Snapshot()
try:
    for number in range(100_000):
        snapshot.add(f"p{number % 10}", [number, str(number) * 10])
    snapshot.flush()
except exceptions.TelemetryError as error:
    print(error, error.affects_all)
"""


def window(number: int) -> model.Window:
    return model.Window(START + number * HOUR, START + (number + 1) * HOUR)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


class SnapshotTest(unittest.TestCase):
    @hypothesis.given(
        st.lists(st.tuples(st.sampled_from("abc"), strategies.json_values()), max_size=30), st.integers(1, 30)
    )
    def test_rows_of_project_come_back_in_order(self, rows: list[tuple[str, Any]], flushed_every: int) -> None:
        snapshot = Snapshot()
        for number, (project_id, row) in enumerate(rows, start=1):
            snapshot.add(project_id, row)
            if number % flushed_every == 0:
                snapshot.flush()
        snapshot.flush()
        for project_id in "abcd":
            expected = [row for owner, row in rows if owner == project_id]
            # As text: NaN is not equal to itself.
            self.assertEqual(repr(expected), repr(list(snapshot.rows(project_id))))

    def test_structs_come_back_as_plain_values(self) -> None:
        snapshot = Snapshot()
        snapshot.add("p1", Pair(1, [Pair("\ud800", None)]))
        snapshot.flush()
        self.assertEqual([[1, [["\ud800", None]]]], list(snapshot.rows("p1")))

    def test_many_rows_are_written_without_flush(self) -> None:
        snapshot = Snapshot()
        for number in range(20_000):
            snapshot.add(f"p{number % 7}", (number, "x" * 1_000))
        self.assertGreater(snapshot.size, 0)
        snapshot.flush()
        self.assertEqual([(number, "x" * 1_000) for number in range(3, 20_000, 7)], list(snapshot.rows("p3")))

    def test_interleaved_readers_do_not_disturb_each_other(self) -> None:
        snapshot = Snapshot()
        for number in range(12_000):
            snapshot.add(f"p{number % 2}", number)
        snapshot.flush()
        pairs = list(zip(snapshot.rows("p0"), snapshot.rows("p1"), strict=True))
        self.assertEqual([(number, number + 1) for number in range(0, 12_000, 2)], pairs)

    def test_failed_project_raises_its_first_reason(self) -> None:
        snapshot = Snapshot()
        snapshot.add("p1", 1)
        snapshot.add("p2", 2)
        snapshot.fail("p1", "its answer is odd")
        snapshot.fail("p1", "another reason")
        snapshot.flush()
        with self.assertRaisesRegex(exceptions.TelemetryError, "^its answer is odd$") as caught:
            list(snapshot.rows("p1"))
        self.assertFalse(caught.exception.affects_all)
        self.assertEqual([2], list(snapshot.rows("p2")))

    def test_file_has_no_name_and_ends_with_last_reader(self) -> None:
        with tempfile.TemporaryDirectory() as folder, TemporaryDirectoryIs(folder):
            before = open_files()
            snapshot = Snapshot()
            for number in range(12_000):
                snapshot.add("p1", number)
            snapshot.flush()
            self.assertEqual([], os.listdir(folder))
            rows = snapshot.rows("p1")
            next(rows)
            del snapshot
            self.assertEqual(11_999, len(list(rows)))
            del rows
            self.assertEqual(before, open_files())

    def test_index_of_large_cloud_is_small(self) -> None:
        """10,000 projects with rows of 20 meters each, as they come: meter by meter."""
        snapshot = Snapshot()
        for meter in range(20):
            for number in range(10_000):
                snapshot.add(str(number), meter)
        snapshot.flush()
        places = snapshot._chunks
        self.assertEqual(10_000, len(places))
        size = sys.getsizeof(places) + sum(map(sys.getsizeof, places.values()))
        self.assertLess(size, 8 * 1024**2)


class Pair(msgspec.Struct, array_like=True):
    one: Any
    other: Any


class TemporaryDirectoryIs:
    """Has temporary files be made in a directory for the duration of a ``with``."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._before, tempfile.tempdir = tempfile.tempdir, self._path

    def __exit__(self, *_: object) -> None:
        tempfile.tempdir = self._before


class DiskTest(unittest.TestCase):
    def test_full_disk_is_error_of_all_projects(self) -> None:
        for limit in (10_000, 100_000):
            done = run(_FILLS_DISK, str(limit))
            expected = f"the temporary directory {tempfile.gettempdir()} (TMPDIR) cannot be used: File too large True\n"
            self.assertEqual((expected, ""), (done.stdout, done.stderr))

    def test_part_of_rows_is_never_left(self) -> None:
        """The last part of a write that does not fit is an error, and not a chunk that is cut."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        snapshot = Snapshot()
        snapshot.add("p1", os.urandom(50_000).hex())
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
            with self.assertRaisesRegex(exceptions.TelemetryError, "File too large"):
                snapshot.flush()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def test_missing_directory_is_named(self) -> None:
        with TemporaryDirectoryIs("/nowhere"), self.assertRaises(exceptions.TelemetryError) as caught:
            Snapshot()
        expected = "the temporary directory /nowhere (TMPDIR) cannot be used: No such file or directory"
        self.assertEqual((expected, True), (str(caught.exception), caught.exception.affects_all))

    def test_no_usable_directory_at_all_is_told(self) -> None:
        program = (
            "import os, tempfile\n"
            "from distil.telemetry.snapshot import Snapshot\n"
            "tempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
            "try: Snapshot()\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        done = run(program)
        expected = "TelemetryError the temporary directory (TMPDIR) cannot be used: No usable temporary directory found"
        self.assertTrue(done.stdout.startswith(expected), done.stdout)


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
