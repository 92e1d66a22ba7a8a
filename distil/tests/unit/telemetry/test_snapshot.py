# SPDX-License-Identifier: Apache-2.0
"""What is read of a period for all projects at once, and kept on disk."""

import os
import resource
import subprocess
import sys
import tempfile
import unittest
from typing import Any
from typing import NamedTuple

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil.telemetry.snapshot import Snapshot
from distil.tests.support import strategies
from distil.tests.support.processes import open_files

_FILLS_DISK = """
import resource, sys
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


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


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

    def test_named_tuples_come_back_as_plain_ones(self) -> None:
        snapshot = Snapshot()
        snapshot.add("p1", Pair(1, [Pair("\ud800", None)]))
        snapshot.flush()
        self.assertEqual([(1, [("\ud800", None)])], list(snapshot.rows("p1")))

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
            if number % 1_000 == 0:
                snapshot.flush()
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
            for number in range(10):
                snapshot.add("p1", number)
                snapshot.flush()
            self.assertEqual([], os.listdir(folder))
            rows = snapshot.rows("p1")
            next(rows)
            del snapshot
            self.assertEqual(list(range(1, 10)), list(rows))
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


class Pair(NamedTuple):
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
