# SPDX-License-Identifier: Apache-2.0
"""What a collector's process remembers of its runs, for whoever looks at it."""

import dataclasses
import datetime
import enum
import threading
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence

# Runs, and samples that were rejected, that are remembered.
MAX_RUNS = 48
MAX_REJECTIONS = 50


class RunOutcome(enum.StrEnum):
    """What became of a run.

    ``complete``: no project failed. ``partial``: at least one did. ``failed``: it failed as a whole.
    """

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    STOPPED = "stopped"


class ProjectState(enum.StrEnum):
    """What a run left of a project in scope.

    ``behind``: windows are due that it had no room for. ``failed``: a window that was due could not be collected.
    ``skipped``: another collector's, or nobody can tell what is due.
    """

    UP_TO_DATE = "up_to_date"
    BEHIND = "behind"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True)
class RunResult:
    """One run.

    :param id: what its log lines are found by.
    :param ended: None while it lasts, and so is ``outcome``.
    :param windows: number of windows committed; of the run that lasts, so far.
    :param due: number of windows that were due at its start.
    :param failed: number of projects that failed.
    :param rejected: number of samples that cannot be used.
    :param problem: why it failed as a whole.
    """

    id: str
    started: datetime.datetime
    ended: datetime.datetime | None = None
    outcome: RunOutcome | None = None
    projects: int = 0
    windows: int = 0
    due: int = 0
    usage_entries: int = 0
    failed: int = 0
    rejected: int = 0
    problem: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class LaggingProject:
    """A project whose windows that are due have not all been committed.

    :param due: their number.
    :param problem: why the first of them could not be collected; None where the run had no room for it.
    """

    project_id: str
    name: str
    last_collected: datetime.datetime
    due: int
    problem: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RejectionEvent:
    """Samples of one window that cannot be used.

    :param reason: that of the first of them.
    """

    project_id: str
    meter: str
    window: str
    number: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment.

    :param started: when the process did.
    :param runs: those that have ended, newest first.
    :param behind: furthest back first, as of the last run.
    :param rejected: newest first.
    """

    collector: str
    version: str
    interval: datetime.timedelta
    started: datetime.datetime
    current: RunResult | None
    runs: tuple[RunResult, ...]
    behind: tuple[LaggingProject, ...]
    rejected: tuple[RejectionEvent, ...]
    next_run: datetime.datetime | None


class History:
    """Remembers the last runs. Threads may share it.

    :param collector: name of the collector type.
    """

    def __init__(self, collector: str, version: str, interval: datetime.timedelta, started: datetime.datetime) -> None:
        self._lock = threading.Lock()
        self._is = Snapshot(collector, version, interval, started, None, (), (), (), None)
        self._runs: deque[RunResult] = deque(maxlen=MAX_RUNS)
        self._rejected: deque[RejectionEvent] = deque(maxlen=MAX_REJECTIONS)
        self._next: Callable[[], datetime.datetime | None] = lambda: None

    def update(self, run: RunResult) -> None:
        """A run has begun, or is further than it was."""
        with self._lock:
            self._is = dataclasses.replace(self._is, current=run)

    def finish(self, run: RunResult, behind: Sequence[LaggingProject] | None) -> None:
        """A run has ended.

        :param behind: furthest back first; None where the run did not find out, and what was known before stays.
        """
        with self._lock:
            self._runs.appendleft(run)
            known = self._is.behind if behind is None else tuple(behind)
            self._is = dataclasses.replace(self._is, current=None, behind=known)

    def add_rejection(self, rejected: RejectionEvent) -> None:
        """Samples have been rejected."""
        with self._lock:
            self._rejected.appendleft(rejected)

    def set_next_run(self, start: Callable[[], datetime.datetime]) -> None:
        """Who to ask when the next run starts: a run that outlasts its interval puts it off."""
        self._next = start

    def snapshot(self) -> Snapshot:
        """Everything as it is now."""
        with self._lock:
            runs, rejected = tuple(self._runs), tuple(self._rejected)
            return dataclasses.replace(self._is, runs=runs, rejected=rejected, next_run=self._next())
