# SPDX-License-Identifier: Apache-2.0
"""Monitors runs: one object turns each event into metrics, history and progress."""

import contextlib
import dataclasses
import datetime
import threading
import time
import types
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from distil import exceptions
from distil import model
from distil.monitoring.history import History
from distil.monitoring.history import RejectionEvent
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.log_context import start_run_context
from distil.monitoring.metrics import Metrics
from distil.monitoring.metrics import RetryStep
from distil.monitoring.metrics import WindowOutcome
from distil.monitoring.project_states import ProjectState
from distil.monitoring.project_states import ProjectStates
from distil.redaction import redact

# Minimum seconds between updates of the run's entry in the history.
_UPDATE_SECONDS = 1.0


class Progress(Protocol):
    """A display of how far a run is."""

    def expect(self, windows: int) -> None:
        """Set the number of windows that the run is going to collect."""

    def advance(self) -> None:
        """Count one window as done."""


class RunMonitor:
    """Monitors the runs of one collector process, one at a time. Threads share it.

    :param clock: the time, aware and in UTC.
    :ivar result: the current run, or the last one.
    """

    def __init__(self, metrics: Metrics, history: History, clock: Callable[[], datetime.datetime]) -> None:
        self.result = RunResult("", clock())
        self._failures: dict[str, str] = {}
        self._outages = Counter[str]()
        self._held: set[str] = set()
        self._metrics = metrics
        self._history = history
        self._clock = clock
        self._progress: Progress | None = None
        self._states: ProjectStates | None = None
        self._is_paused = False
        self._lock = threading.Lock()
        self._updated = 0.0

    @property
    def failures(self) -> Mapping[str, str]:
        """The reason by id of each project that failed in the run."""
        return types.MappingProxyType(self._failures)

    @property
    def outages(self) -> Mapping[str, int]:
        """Number of projects that failed in the run because of the outage of a service, by its reason."""
        return types.MappingProxyType(self._outages)

    def set_next_run(self, start: Callable[[], datetime.datetime]) -> None:
        """Have the start of the next run read from ``start``, each time that somebody looks at it."""
        self._metrics.next_run.set_function(lambda: start().timestamp())
        self._history.set_next_run(start)

    @contextlib.contextmanager
    def run(self, progress: Progress | None = None) -> Iterator[None]:
        """Monitor a run, from here to the end of the ``with`` block. Exceptions pass through."""
        self._start(progress)
        try:
            yield
        except (exceptions.ShutdownRequested, SystemExit):
            self._finish(RunOutcome.STOPPED)
            raise
        except BaseException as error:
            self._finish(RunOutcome.FAILED, redact(str(error) or repr(error)))
            raise
        self._finish(self._outcome())

    def planned(
        self,
        last_collected: Mapping[str, datetime.datetime],
        *,
        projects: int,
        due: int,
        windows: int,
        paused: bool,
        departing: int = 0,
        missing: int = 0,
        unmatched: Sequence[str] = (),
    ) -> None:
        """The run knows its work.

        :param last_collected: by project id.
        :param projects: number of projects in scope.
        :param due: number of windows that are due.
        :param windows: number of windows that the run is going to collect.
        :param paused: whether the run's limit is 0, so that it collects nothing.
        :param departing: number of departed projects that are still collected.
        :param missing: number of projects that are not collected because Keystone's list, or an entry of the scope, may
            be wrong.
        :param unmatched: a sentence for each entry of the scope that matches nothing.
        """
        self._is_paused = paused
        self._metrics.set_scope(last_collected, self._clock())
        self._metrics.projects_in_scope.set(projects)
        self._metrics.departed_projects.labels("collected").set(departing)
        self._metrics.departed_projects.labels("missing").set(missing)
        self._metrics.scope_entries_unmatched.set(len(unmatched))
        self._update(
            projects=projects,
            departing=departing,
            missing=missing,
            unmatched=tuple(unmatched),
            due=due,
            problem=None,
        )
        self._history.update(self.result)
        if self._progress:
            self._progress.expect(windows)

    def committed(
        self,
        project: model.Project,
        window: model.Window,
        rated: model.RatedWindow,
        seconds: float,
        *,
        suspect: bool = False,
    ) -> None:
        """A window was committed.

        :param seconds: duration of the transaction.
        :param suspect: whether usage may be missing.
        """
        self._metrics.count_window(project.id, window, rated, seconds)
        self._metrics.windows_suspect.inc(suspect)
        if rated.rejected:
            first = rated.rejected[0]
            event = RejectionEvent(project.id, first.meter, str(window), len(rated.rejected), first.reason)
            self._history.add_rejection(event)
        with self._lock:
            self._update(
                windows=self.result.windows + 1,
                usage_entries=self.result.usage_entries + len(rated.usage),
                rejected=self.result.rejected + len(rated.rejected),
                untrusted=self.result.untrusted + rated.untrusted,
            )
            self._advance()

    def delivered(self, samples: Iterable[model.Sample | model.RejectedSample]) -> None:
        """The samples of a window were committed."""
        self._metrics.sample_delays.observe(samples)

    def skip(self, windows: int) -> None:
        """Windows were committed by other collectors.

        :param windows: their number.
        """
        with self._lock:
            for _ in range(windows):
                self._advance()

    def fail(self, project_id: str, error: Exception) -> None:
        """A project failed: its windows stay due until the next run."""
        self._metrics.windows.labels(WindowOutcome.FAILED).inc()
        with self._lock:
            reason = self._failures[project_id] = redact(str(error) or repr(error))
            if isinstance(error, exceptions.ServiceOutage):
                self._outages[reason] += 1
            if isinstance(error, exceptions.MetersVanished):
                self._held.add(project_id)
            self._update(failed=len(self._failures))

    def retried(self, step: RetryStep, problem: str) -> None:
        """An attempt failed and is followed by another.

        :param problem: what failed, and why.
        """
        self._metrics.retries.labels(step).inc()
        if step is RetryStep.PLAN:
            with self._lock:
                self._update(problem=redact(problem))
            self._history.update(self.result)

    def found_late(self, windows: int) -> None:
        """A recheck has found windows late that were not known to be.

        :param windows: their number.
        """
        self._metrics.windows_late.inc(windows)

    def set_project_states(
        self, states: ProjectStates, last_collected: Mapping[str, datetime.datetime], failures: Mapping[str, str]
    ) -> None:
        """The run knows how it left the projects.

        :param last_collected: by project id.
        :param failures: reason by id of the projects that failed, which replaces what is known so far.
        """
        self._states = states
        self._metrics.lags.replace(last_collected)
        self._metrics.windows_due.set(states.windows_due)
        self._metrics.projects_held.set(len(self._held & failures.keys()))
        for state in ProjectState:
            self._metrics.projects.labels(state).set(states.counts[state])
        with self._lock:
            self._failures = dict(failures)
            self._update(
                failed=len(failures),
                still_due=states.windows_due,
                behind=states.counts[ProjectState.BEHIND],
                skipped=states.counts[ProjectState.SKIPPED],
            )

    def _start(self, progress: Progress | None) -> None:
        started = self._clock()
        self.result = RunResult(start_run_context(self._history.snapshot().collector), started)
        self._failures, self._outages, self._held = {}, Counter(), set()
        self._progress, self._states, self._is_paused = progress, None, False
        self._updated = time.monotonic()
        self._metrics.last_run_start.set(started.timestamp())
        self._history.update(self.result)

    def _outcome(self) -> RunOutcome:
        """The outcome of a run that raised nothing."""
        if self._is_paused:
            return RunOutcome.PAUSED
        return RunOutcome.PARTIAL if self.failures or self.result.missing else RunOutcome.COMPLETE

    def _finish(self, outcome: RunOutcome, problem: str | None = None) -> None:
        ended = self._clock()
        # A shutdown does not wait for the worker threads, which may still count.
        with self._lock:
            self._update(ended=ended, outcome=outcome, problem=problem)
        self._history.finish(self.result, None if self._states is None else self._states.lagging)
        self._metrics.runs.labels(outcome).inc()
        if outcome is RunOutcome.COMPLETE:
            self._metrics.last_complete_run.set(ended.timestamp())
        if outcome not in (RunOutcome.FAILED, RunOutcome.STOPPED):
            # Alerts notice that this time does not move.
            self._metrics.last_run_duration.set((ended - self.result.started).total_seconds())
            self._metrics.last_run_end.set(ended.timestamp())

    def _update(self, **changes: Any) -> None:
        self.result = dataclasses.replace(self.result, **changes)

    def _advance(self) -> None:
        if self._progress:
            self._progress.advance()
        now = time.monotonic()
        if now - self._updated >= _UPDATE_SECONDS:
            self._updated = now
            self._history.update(self.result)
