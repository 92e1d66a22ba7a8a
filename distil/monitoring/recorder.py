# SPDX-License-Identifier: Apache-2.0
"""Where every run begins and ends, whatever becomes of it."""

import contextlib
import datetime
from collections.abc import Callable
from collections.abc import Iterator

from distil import exceptions
from distil.monitoring.history import History
from distil.monitoring.history import RunOutcome
from distil.monitoring.log_context import start_run_context
from distil.monitoring.metrics import Metrics
from distil.monitoring.run import Record
from distil.monitoring.summary import Progress


class Recorder:
    """Tells metrics and history of runs.

    :param clock: the time, aware and in UTC.
    """

    def __init__(self, metrics: Metrics, history: History, clock: Callable[[], datetime.datetime]) -> None:
        self._metrics = metrics
        self._history = history
        self._clock = clock

    def next(self, start: Callable[[], datetime.datetime]) -> None:
        """Who to ask when the next run starts."""
        self._metrics.next_run.set_function(lambda: start().timestamp())
        self._history.set_next_run(start)

    @contextlib.contextmanager
    def run(self, progress: Progress | None = None) -> Iterator[Record]:
        """A run, from here to the end of the ``with``. What is raised in it goes through.

        :param progress: who else wants to know how far it is.
        """
        started = self._clock()
        self._metrics.last_run_start.set(started.timestamp())
        record = Record(
            start_run_context(self._history.snapshot().collector), self._metrics, self._history, started, progress
        )
        try:
            yield record
        except (exceptions.ShutdownRequested, SystemExit):
            self._end(record, RunOutcome.STOPPED)
            raise
        except BaseException as error:
            self._end(record, RunOutcome.FAILED, str(error) or repr(error))
            raise
        self._end(record, RunOutcome.PARTIAL if record.summary.failed else RunOutcome.COMPLETE)

    def _end(self, record: Record, outcome: RunOutcome, problem: str | None = None) -> None:
        ended = self._clock()
        behind = None if record.standing is None else record.standing.behind
        self._history.finish(record.run(ended, outcome, problem), behind)
        self._metrics.runs.labels(outcome).inc()
        if outcome is RunOutcome.COMPLETE:
            self._metrics.last_complete_run.set(ended.timestamp())
        if outcome in (RunOutcome.COMPLETE, RunOutcome.PARTIAL):
            # Not for a run that failed as a whole: that the end grows old is how an operator's alert finds that out.
            self._metrics.last_run_duration.set((ended - record.started).total_seconds())
            self._metrics.last_run_end.set(ended.timestamp())
