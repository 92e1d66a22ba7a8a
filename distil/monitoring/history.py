# SPDX-License-Identifier: Apache-2.0
"""The recent runs of a collector's process, kept in memory for the status page and the health check."""

import dataclasses
import datetime
import enum
import threading
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence

from distil.monitoring.project_states import LaggingProject
from distil.text import pluralize

# Entries that are kept.
_MAX_RUNS = 48
_MAX_REJECTIONS = 50


class RunOutcome(enum.StrEnum):
    """The outcome of a run.

    ``complete``: no project failed. ``partial``: a project failed or is missing. ``failed``: the run collected nothing,
    though it should have. ``paused``: the run collected nothing, because its limit is 0. ``stopped``: interrupted by a
    shutdown.
    """

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclasses.dataclass(frozen=True, slots=True)
class RunResult:
    """One run; the counts of a run in progress are those so far.

    :param id: request id that its log lines carry.
    :param ended: None while the run is in progress, like ``outcome``.
    :param projects: number of projects in scope.
    :param departing: number of departed projects that are still collected.
    :param missing: number of projects that are not collected because Keystone's list, or an entry of the scope, may be
        wrong.
    :param unmatched: a sentence for each entry of the scope that matches nothing.
    :param windows: number of windows committed.
    :param due: number of windows that were due when the run started; ``still_due`` of them are due when it ends.
    :param failed: number of projects with a window that was due and could not be collected, or whose last collected is
        unknown.
    :param behind: number of projects with windows still due because the run reached its limit.
    :param skipped: number of projects held by other collectors.
    :param rejected: number of rejected samples.
    :param untrusted: number of samples of sources that are not trusted.
    :param problem: why the run collected nothing, though it should have; while it is in progress, why its last attempt
        to find out what is due failed.
    """

    id: str
    started: datetime.datetime
    ended: datetime.datetime | None = None
    outcome: RunOutcome | None = None
    projects: int = 0
    departing: int = 0
    missing: int = 0
    unmatched: tuple[str, ...] = ()
    windows: int = 0
    due: int = 0
    still_due: int = 0
    usage_entries: int = 0
    failed: int = 0
    behind: int = 0
    skipped: int = 0
    rejected: int = 0
    untrusted: int = 0
    problem: str | None = None

    def __str__(self) -> str:
        departed = f" and {self.departing} departed" if self.departing else ""
        missing = f"; {pluralize(self.missing, 'project')} missing" if self.missing else ""
        return (
            f"{pluralize(self.projects, 'project')}{departed}: {pluralize(self.windows, 'window')} committed with "
            f"{pluralize(self.usage_entries, 'usage entry', 'usage entries')}, "
            f"{pluralize(self.still_due, 'window')} still due; "
            f"{pluralize(self.rejected, 'sample')} rejected, {self.untrusted} from untrusted sources; "
            f"{pluralize(self.failed, 'project')} failed, {self.behind} behind, {self.skipped} skipped{missing}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class RejectionEvent:
    """Rejected samples of one window.

    :param reason: that of the first sample.
    """

    project_id: str
    meter: str
    window: str
    number: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """The history at one moment.

    :param started: start of the process.
    :param runs: finished runs, newest first.
    :param lagging: projects with windows due at the end of the last run, and those that failed in it, oldest last
        collected first; None as long as no run has found out.
    :param rejected: newest first.
    :param problems: what is wrong with the process itself, such as its log.
    """

    collector: str
    version: str
    interval: datetime.timedelta
    started: datetime.datetime
    current: RunResult | None
    runs: tuple[RunResult, ...]
    lagging: tuple[LaggingProject, ...] | None
    rejected: tuple[RejectionEvent, ...]
    next_run: datetime.datetime | None
    problems: tuple[str, ...] = ()


class History:
    """Keeps the last runs. Threads may share it.

    :param collector: name of the collector.
    :param problems: returns what is wrong with the process itself; each snapshot asks it.
    """

    def __init__(
        self,
        collector: str,
        version: str,
        interval: datetime.timedelta,
        started: datetime.datetime,
        problems: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._lock = threading.Lock()
        self._snapshot = Snapshot(collector, version, interval, started, None, (), None, (), None)
        self._runs: deque[RunResult] = deque(maxlen=_MAX_RUNS)
        self._rejected: deque[RejectionEvent] = deque(maxlen=_MAX_REJECTIONS)
        self._next_run: Callable[[], datetime.datetime | None] = lambda: None
        self._problems = problems

    def update(self, run: RunResult) -> None:
        """Replace the run in progress."""
        with self._lock:
            self._snapshot = dataclasses.replace(self._snapshot, current=run)

    def finish(self, run: RunResult, lagging: Sequence[LaggingProject] | None) -> None:
        """Add a run that has ended.

        :param lagging: oldest last collected first; None where the run did not get to know, which keeps the last list.
        """
        with self._lock:
            self._runs.appendleft(run)
            if lagging is not None:
                self._snapshot = dataclasses.replace(self._snapshot, lagging=tuple(lagging))
            self._snapshot = dataclasses.replace(self._snapshot, current=None)

    def add_rejection(self, event: RejectionEvent) -> None:
        """Add rejected samples."""
        with self._lock:
            self._rejected.appendleft(event)

    def set_next_run(self, start: Callable[[], datetime.datetime]) -> None:
        """Have each snapshot read the start of the next run from ``start``: a long run puts it off."""
        self._next_run = start

    def snapshot(self) -> Snapshot:
        """The history as it is now."""
        with self._lock:
            runs, rejected = tuple(self._runs), tuple(self._rejected)
            next_run, problems = self._next_run(), tuple(self._problems())
            return dataclasses.replace(
                self._snapshot, runs=runs, rejected=rejected, next_run=next_run, problems=problems
            )
