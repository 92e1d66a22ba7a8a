# SPDX-License-Identifier: Apache-2.0
"""What a telemetry service has of a period, read for all projects at once, and kept on disk for the projects' turns.

A service that answers for all projects with one request would be asked for the same again for each project. Everything
in memory would be too much in a large cloud.
"""

import collections
import os
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import msgspec
import tenacity
from oslo_log import log

from distil import exceptions
from distil import model

LOG = log.getLogger(__name__)

# Rows that are collected before they are written, by project: so many fit into memory.
_MAX_BUFFERED_ROWS = 5_000

# Of all snapshots together, on disk. The projects of a run have few periods in common, unless they catch up.
_MAX_BYTES = 2 * 1024**3

# Attempts to read a period, and seconds between them. Afterwards the failure holds for all projects, for a time.
_ATTEMPTS = 3
_FIRST_PAUSE = 0.5
_FAILURE_SECONDS = 60.0

# A run is over by then.
_LIFETIME_SECONDS = 3600.0


class _Chunk(NamedTuple):
    """Where rows of one project are in the file."""

    offset: int
    size: int


class Snapshot:
    """Rows by project: anything that msgspec encodes. Written by one thread, then read by many.

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
        self._chunks: dict[str, list[_Chunk]] = collections.defaultdict(list)
        self._buffer: dict[str, list[Any]] = collections.defaultdict(list)
        self._buffered = 0
        self._failures: dict[str, str] = {}

    def add(self, project_id: str, row: Any) -> None:
        self._buffer[project_id].append(row)
        self._buffered += 1
        if self._buffered >= _MAX_BUFFERED_ROWS:
            self.flush()

    def fail(self, project_id: str, reason: str) -> None:
        """Have the rows of a project be an error: what the service answered of it cannot be used."""
        self._failures.setdefault(project_id, reason)

    def flush(self) -> None:
        """Write what is left. Called once all rows are added."""
        for project_id, rows in self._buffer.items():
            data = zlib.compress(msgspec.msgpack.encode(rows), 1)
            try:
                written = os.pwrite(self._file, data, self.size)
            except OSError as error:
                raise _disk_error(error) from error
            if written < len(data):
                raise exceptions.TelemetryError("the temporary directory is full", affects_all=True)
            self._chunks[project_id].append(_Chunk(self.size, len(data)))
            self.size += len(data)
        self._buffer.clear()
        self._buffered = 0

    def rows(self, project_id: str) -> Iterator[Any]:
        """:raises TelemetryError: what the service answered of the project cannot be used."""
        if project_id in self._failures:
            raise exceptions.TelemetryError(self._failures[project_id])
        for chunk in self._chunks.get(project_id, ()):
            try:
                data = os.pread(self._file, chunk.size, chunk.offset)
            except OSError as error:
                raise _disk_error(error) from error
            yield from msgspec.msgpack.decode(zlib.decompress(data))


class Snapshots:
    """The snapshots of periods, each read once. Threads share them; the others wait while one reads.

    :param read: adds the rows of a period to a snapshot.
    """

    def __init__(
        self,
        read: Callable[[model.Window, Snapshot], None],
        max_bytes: int = _MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        # Used last at the end.
        self._entries: collections.OrderedDict[model.Window, _Entry] = collections.OrderedDict()

    def get(self, period: model.Window) -> Snapshot:
        """The snapshot of a period; it is read unless it is there.

        :raises TelemetryError: it cannot be read. The same error is raised for a minute, without asking again: each
            project would ask.
        """
        with self._lock:
            self._evict()
            entry = self._entries.setdefault(period, _Entry())
            self._entries.move_to_end(period)
        with entry.lock:
            now = self._clock()
            if entry.failure is not None and now - entry.time < _FAILURE_SECONDS:
                raise entry.failure
            if entry.snapshot is None:
                try:
                    entry.snapshot, entry.failure = self._attempt(period), None
                except exceptions.TelemetryError as error:
                    entry.failure = _for_all(error)
                    raise entry.failure from error
                finally:
                    entry.time = self._clock()
            return entry.snapshot

    def _attempt(self, period: model.Window) -> Snapshot:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_transient),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(initial=_FIRST_PAUSE, jitter=_FIRST_PAUSE),
            before_sleep=lambda state: LOG.warning(
                "Reading %s failed, trying again: %s", period, state.outcome and state.outcome.exception()
            ),
            reraise=True,
        )
        snapshot: Snapshot = attempts(self._read_once, period)
        return snapshot

    def _read_once(self, period: model.Window) -> Snapshot:
        snapshot = Snapshot()
        started = time.monotonic()
        self._read(period, snapshot)
        snapshot.flush()
        LOG.debug("Read %s in %.1f s: %d bytes on disk.", period, time.monotonic() - started, snapshot.size)
        return snapshot

    def _evict(self) -> None:
        """Drop what was used least recently beyond the limit, and what is old. Who reads it keeps it till the end."""
        now = self._clock()
        total = 0
        for period, entry in reversed(list(self._entries.items())):
            total += entry.snapshot.size if entry.snapshot else 0
            if not entry.lock.locked() and (total > self._max_bytes or now - entry.time > _LIFETIME_SECONDS):
                del self._entries[period]


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.time = float("inf")
        self.snapshot: Snapshot | None = None
        self.failure: exceptions.TelemetryError | None = None


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, exceptions.TelemetryError) and not error.affects_all


def _for_all(error: exceptions.TelemetryError) -> exceptions.TelemetryError:
    """The error as one of all projects: they have the snapshot in common."""
    return error if error.affects_all else exceptions.TelemetryError(str(error), affects_all=True)


def _disk_error(error: OSError) -> exceptions.TelemetryError:
    reason = f"the temporary directory ({tempfile.gettempdir()}; TMPDIR) cannot be used: {error.strerror}"
    return exceptions.TelemetryError(reason, affects_all=True)
