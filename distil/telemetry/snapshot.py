# SPDX-License-Identifier: Apache-2.0
"""What a telemetry service has of a period, read for all projects at once, and kept on disk for the projects' turns.

A service that answers for all projects with one request would be asked for the same again for each project. Everything
in memory would be too much in a large cloud.
"""

import array
import collections
import marshal
import os
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import msgspec
from oslo_log import log

from distil import exceptions
from distil import model

LOG = log.getLogger(__name__)

# Of all projects together, before they are written: more of them make fewer, larger chunks, which compress better.
_MAX_BUFFERED_BYTES = 8 * 1024**2

# Of all snapshots together, on disk. The projects of a run have few periods in common, unless they catch up.
_MAX_BYTES = 2 * 1024**3

# Then it is read again: samples that have come late are seen.
_MAX_AGE_SECONDS = 900.0

# Seconds before a period is read again after a failure, times the number of failures so far.
_RETRY_SECONDS = 2.0

# Failures in a row after which it is not read again for a time: each project would have it read.
_MAX_FAILURES = 3
_PAUSE_SECONDS = 60.0


class Snapshot:
    """Rows by project: whatever JSON can hold, also in tuples; named ones come back as plain ones.

    Written by one thread, then read by many.

    :ivar size: bytes on disk.
    :raises TelemetryError: a method could not use the temporary directory.
    """

    def __init__(self) -> None:
        try:
            with tempfile.TemporaryFile(prefix="distil-") as file:
                self._file = os.dup(file.fileno())
        except OSError as error:
            raise _disk_error(error) from error
        weakref.finalize(self, os.close, self._file)
        self.size = 0
        # Of each project's chunks, the offset and the length. An array takes a tenth of the memory of tuples.
        self._chunks: dict[str, array.array[int]] = {}
        self._buffer: dict[str, list[bytes]] = collections.defaultdict(list)
        self._buffered = 0
        self._failures: dict[str, str] = {}

    def add(self, project_id: str, row: Any) -> None:
        # Encoded at once, since the garbage collector would visit each object of the rows again and again.
        data = marshal.dumps(msgspec.to_builtins(row))
        self._buffer[project_id].append(data)
        self._buffered += len(data)
        if self._buffered >= _MAX_BUFFERED_BYTES:
            self.flush()

    def fail(self, project_id: str, reason: str) -> None:
        """Have the rows of a project be an error: what the service answered of it cannot be used."""
        self._failures.setdefault(project_id, reason)

    def has_failed(self, project_id: str) -> bool:
        return project_id in self._failures

    def projects(self) -> list[str]:
        """The ids of the projects that have rows, or whose rows are an error."""
        return sorted(self._chunks.keys() | self._buffer.keys() | self._failures.keys())

    def flush(self) -> None:
        """Write what is left. Called once all rows are added."""
        chunks = []
        for project_id, rows in self._buffer.items():
            chunk = zlib.compress(marshal.dumps(rows), 1)
            self._chunks.setdefault(project_id, array.array("Q")).extend((self.size, len(chunk)))
            self.size += len(chunk)
            chunks.append(chunk)
        self._append(b"".join(chunks))
        self._buffer.clear()
        self._buffered = 0

    def rows(self, project_id: str) -> Iterator[Any]:
        """The rows of a project, in the order in which they were added.

        :raises TelemetryError: what the service answered of the project cannot be used.
        """
        if project_id in self._failures:
            raise exceptions.TelemetryError(self._failures[project_id])
        chunks = iter(self._chunks.get(project_id, ()))
        for offset, length in zip(chunks, chunks, strict=True):
            try:
                data = os.pread(self._file, length, offset)
            except OSError as error:
                raise _disk_error(error) from error
            # Written by this process, to no other's file.
            yield from map(marshal.loads, marshal.loads(zlib.decompress(data)))  # noqa: S302

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                # Writes a part if the disk fills; the next attempt tells so.
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise _disk_error(error) from error


class Snapshots:
    """The snapshots of periods, each read once. Threads share them; the others wait while one reads.

    :param read: adds the rows of a period to a snapshot. Only one period is read at a time: it is all that the service
        has of it.
    :param max_bytes: of all snapshots together; the one used last is kept whatever its size.
    :param max_age: seconds after which a period is read again.
    :param clock: monotonic.
    """

    def __init__(
        self,
        read: Callable[[model.Window, Snapshot], None],
        max_bytes: int = _MAX_BYTES,
        max_age: float = _MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._read = read
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        # Used last at the end.
        self._periods: collections.OrderedDict[model.Window, _Period] = collections.OrderedDict()
        self._timer: threading.Timer | None = None

    def get(self, window: model.Window) -> Snapshot:
        """The snapshot of a period; it is read unless it is there.

        A failure is that of all threads that wait meanwhile. After a few in a row it affects all projects, and is
        raised for a minute without asking the service: each project would ask.

        :raises TelemetryError: it cannot be read.
        """
        period = self._period(window)
        failures = period.failures
        with period.lock:
            if period.snapshot is not None:
                return period.snapshot
            if period.failure is not None:
                self._wait(period, period.failure, has_failed_meanwhile=period.failures > failures)
            try:
                with self._reading:
                    period.snapshot = self._attempt(window)
            except exceptions.TelemetryError as error:
                raise self._failed(period, error) from error
            except Exception as error:
                # A defect must not have each project read the period, either.
                LOG.exception("Reading the samples of all projects in %s failed", window)
                defect = exceptions.TelemetryError(f"the samples of all projects could not be read: {error!r}")
                raise self._failed(period, defect) from error
            finally:
                period.time = self._clock()
            self._evict_later()
            return period.snapshot

    def _period(self, window: model.Window) -> "_Period":
        self.evict()
        with self._lock:
            period = self._periods.setdefault(window, _Period(self._clock()))
            self._periods.move_to_end(window)
            return period

    def _wait(self, period: "_Period", failure: exceptions.TelemetryError, has_failed_meanwhile: bool) -> None:
        """Wait until the period may be read again.

        :raises TelemetryError: it may not, for some time.
        """
        pause = max(0.0, period.retry_at - self._clock())
        if has_failed_meanwhile or (pause and failure.affects_all):
            raise _repeated(failure, failure.affects_all)
        self._sleep(pause)

    def _failed(self, period: "_Period", error: exceptions.TelemetryError) -> exceptions.TelemetryError:
        """Count a failure; some in a row affect all projects."""
        period.failures += 1
        affects_all = error.affects_all or period.failures >= _MAX_FAILURES
        period.failure = _repeated(error, affects_all)
        period.retry_at = self._clock() + (_PAUSE_SECONDS if affects_all else _RETRY_SECONDS * period.failures)
        return period.failure

    def _attempt(self, window: model.Window) -> Snapshot:
        snapshot = Snapshot()
        started = time.monotonic()
        self._read(window, snapshot)
        snapshot.flush()
        LOG.debug("Read %s in %.1f s: %d bytes on disk.", window, time.monotonic() - started, snapshot.size)
        return snapshot

    def evict(self) -> None:
        """Drop what is old, and what was used least recently beyond the limit. Who reads it keeps it till the end."""
        now = self._clock()
        total = 0
        with self._lock:
            for window, period in reversed(list(self._periods.items())):
                if period.lock.locked():
                    continue
                size = period.snapshot.size if period.snapshot else 0
                if now - period.time < self._max_age and (not total or total + size <= self._max_bytes):
                    total += size
                else:
                    del self._periods[window]

    def _evict_later(self) -> None:
        """Have the disk be free also if nothing is asked for any more, as between two runs."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._max_age, _evict, [weakref.ref(self)])
            self._timer.daemon = True
            self._timer.start()


def _evict(reference: "weakref.ref[Snapshots]") -> None:
    snapshots = reference()
    if snapshots is not None:
        snapshots.evict()


class _Period:
    """What is known of a period. Whoever holds the lock may read it from the service.

    :ivar time: when the last attempt to read it ended; before, when this was made.
    :ivar failures: number of attempts that failed.
    """

    def __init__(self, time: float) -> None:
        self.lock = threading.Lock()
        self.time = time
        self.snapshot: Snapshot | None = None
        self.failures = 0
        self.failure: exceptions.TelemetryError | None = None
        self.retry_at = 0.0


def _repeated(error: exceptions.TelemetryError, affects_all: bool) -> exceptions.TelemetryError:
    """A new error like this one: each thread raises its own."""
    if isinstance(error, exceptions.PeriodIncomplete):
        return exceptions.PeriodIncomplete(str(error))
    return exceptions.TelemetryError(str(error), affects_all=affects_all)


def _disk_error(error: OSError) -> exceptions.TelemetryError:
    directory = f" {tempfile.tempdir}" if tempfile.tempdir else ""
    reason = f"the temporary directory{directory} (TMPDIR) cannot be used: {error.strerror}"
    return exceptions.TelemetryError(reason, affects_all=True)
