# SPDX-License-Identifier: Apache-2.0
"""One run, told to the metrics and to the memory of runs while it lasts."""

import datetime
import threading
import time

from distil.monitoring.history import History
from distil.monitoring.history import ProjectState
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.metrics import OUTCOME_FAILED
from distil.monitoring.metrics import Metrics
from distil.monitoring.standing import Standing
from distil.monitoring.summary import Progress
from distil.monitoring.summary import Summary
from distil.rating.rate import RatedWindow

# Seconds from one telling of how far a run is to the next.
_PAUSE = 1.0


class Record:
    """What becomes of one run. Threads may share it.

    :param run_id: what its log lines are found by.
    :param progress: who else wants to know how far it is.
    :ivar standing: how it leaves the projects; None until it has found that out.
    """

    def __init__(
        self, run_id: str, metrics: Metrics, history: History, started: datetime.datetime, progress: Progress | None
    ) -> None:
        self.id = run_id
        self.started = started
        self.summary = Summary()
        self.standing: Standing | None = None
        self._metrics = metrics
        self._history = history
        self._progress = progress
        self._lock = threading.Lock()
        self._told = time.monotonic()
        history.update(self.run())

    def plan(self, projects: int, due: int, windows: int) -> None:
        """It knows what there is to do.

        :param projects: number of projects in scope.
        :param due: number of windows that are due.
        :param windows: how many of them it is going to collect.
        """
        self.summary.projects, self.summary.due = projects, due
        self._metrics.projects_in_scope.set(projects)
        self._history.update(self.run())
        if self._progress:
            self._progress.expect(windows)

    def committed(self, rated: RatedWindow) -> None:
        """It has committed a window."""
        with self._lock:
            self.summary.add(rated)
            self._advance()

    def passed_over(self, windows: int) -> None:
        """So many windows have been committed by others."""
        with self._lock:
            for _ in range(windows):
                self._advance()

    def fail(self, project_id: str, problem: Exception) -> None:
        """A project waits for the next run."""
        with self._lock:
            self.summary.failed[project_id] = str(problem) or repr(problem)
        self._metrics.windows.labels(OUTCOME_FAILED).inc()

    def leave(self, standing: Standing) -> None:
        """How it leaves the projects."""
        self.standing = standing
        self.summary.left = standing.due
        self.summary.behind, self.summary.skipped = (
            standing.states[ProjectState.BEHIND],
            standing.states[ProjectState.SKIPPED],
        )
        for state in ProjectState:
            self._metrics.projects.labels(state).set(standing.states[state])
        self._metrics.windows_due.set(standing.due)

    def _advance(self) -> None:
        if self._progress:
            self._progress.advance()
        now = time.monotonic()
        if now - self._told >= _PAUSE:
            self._told = now
            self._history.update(self.run())

    def run(
        self,
        ended: datetime.datetime | None = None,
        outcome: RunOutcome | None = None,
        problem: str | None = None,
    ) -> RunResult:
        """The run as it is remembered."""
        its = self.summary
        return RunResult(
            id=self.id,
            started=self.started,
            ended=ended,
            outcome=outcome,
            projects=its.projects,
            windows=its.windows,
            due=its.due,
            usage_entries=its.usage_entries,
            failed=len(its.failed),
            rejected=its.rejected,
            problem=problem,
        )
