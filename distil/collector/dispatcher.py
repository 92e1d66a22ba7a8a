# SPDX-License-Identifier: Apache-2.0
"""Some projects at a time, each as far as it goes, and those that others have at the end once more."""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import tenacity
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.retrying import retrying
from distil.collector.samples import Samples
from distil.collector.window import ProjectCollector
from distil.collector.window import Tools
from distil.collector.workers import run_in_threads
from distil.monitoring.log_context import project_context
from distil.monitoring.metrics import STEP_TAKE
from distil.monitoring.run import Record
from distil.text import pluralize

LOG = log.getLogger(__name__)

# A project and its windows that are due, oldest first.
Work = tuple[model.Project, Sequence[model.Window]]

_TAKEN = (exceptions.ProjectReassigned, exceptions.WindowAlreadyCommitted)

# Seconds from one look to the next at what others have.
POLL_INTERVAL = 1.0


@dataclasses.dataclass(kw_only=True)
class Dispatcher:
    """One run's work.

    :param concurrency: number of threads.
    """

    tools: Tools
    concurrency: int
    record: Record

    def run(self, work: Sequence[Work], patience: float) -> Collection[str]:
        """Collect the windows of each project, up to the first that cannot be.

        What another collector has is looked at again at the end: it may have died, or left something over. With
        patience that goes on until nothing is left, or nothing has moved for so many seconds.

        :returns: the ids of the projects that others have.
        :raises StoreError: the database did not answer at the end.
        :raises Stopped: the collector is stopping; what is committed stays.
        """
        left = before = self._pass(work)
        moved = time.monotonic()
        if left and patience:
            held = pluralize(len(left), "project is", "projects are")
            LOG.info("%s other collectors' at the moment; they are waited for, %d seconds if need be.", held, patience)
        while left:
            left = self._pass(self._not_committed(before))
            if left != before:
                moved = time.monotonic()
            if not left or time.monotonic() - moved >= patience:
                break
            before = left
            if self.tools.stop.wait(POLL_INTERVAL):
                raise exceptions.ShutdownRequested("the collector is stopping")
        if left:
            LOG.debug("%s left to other collectors.", pluralize(len(left), "project is", "projects are"))
        return {project.id for project, _ in left}

    def _pass(self, work: Sequence[Work]) -> list[Work]:
        """:returns: what others have of it."""
        left: dict[str, Sequence[model.Window]] = {}

        def turn(together: Sequence[Work]) -> None:
            left.update(self._collect_batch(together))

        run_in_threads(self._together(work), turn, self.concurrency, self.tools.stop)
        return [(project, left[project.id]) for project, _ in work if left.get(project.id)]

    def _together(self, work: Iterable[Work]) -> Iterator[list[Work]]:
        """As many projects, whose windows are the same, as one question is to be about."""
        for _, alike in itertools.groupby(work, key=lambda each: each[1]):
            rest = iter(alike)
            for first in rest:
                others = max(0, self.tools.questions.batch_size // len(first[1]) - 1)
                yield [first, *itertools.islice(rest, others)]

    def _collect_batch(self, work: Sequence[Work]) -> dict[str, Sequence[model.Window]]:
        """:returns: the windows that are another collector's to collect, by project id."""
        left: dict[str, Sequence[model.Window]] = {}
        due = []
        with contextlib.ExitStack() as stack:
            for project, windows in work:
                with project_context(project):
                    held = self._claim(stack, project, windows)
                if held:
                    due.append((project, windows))
                elif held is False:
                    left[project.id] = windows
            # Whoever had them until now may have done some of the windows.
            for windows, alike in itertools.groupby(self._still_due(due), key=lambda each: each[1]):
                visits = [ProjectCollector(self.tools, project) for project, _ in alike]
                left |= self._collect(visits, windows)
        return left

    def _claim(
        self, stack: contextlib.ExitStack, project: model.Project, windows: Sequence[model.Window]
    ) -> bool | None:
        """False: another collector has the project. None: nobody could tell, and it has to wait."""
        failure: exceptions.StoreError
        try:
            hold = retrying(self.tools.stop, self._say)
            return hold(lambda: stack.enter_context(self.tools.sharing.claim(project.id, windows[0].start)))
        except exceptions.StoreError as error:
            failure = error
        self._fail(project, failure)
        return None

    def _still_due(self, work: Sequence[Work]) -> list[Work]:
        failure: exceptions.StoreError
        try:
            return retrying(self.tools.stop, self._say)(self._not_committed, work)
        except exceptions.StoreError as error:
            failure = error
        for project, _ in work:
            self._fail(project, failure)
        return []

    def _not_committed(self, work: Sequence[Work]) -> list[Work]:
        """Without the windows that have been committed meanwhile."""
        collected = self.tools.store.last_collected([project.id for project, _ in work])
        rest = []
        for project, windows in work:
            starts = [window.start for window in windows]
            done = starts.index(collected[project.id]) if collected.get(project.id) in starts else len(starts)
            self.record.passed_over(done)
            rest.append((project, windows[done:]))
        return [(project, windows) for project, windows in rest if windows]

    def _collect(
        self, visits: Sequence[ProjectCollector], windows: Sequence[model.Window]
    ) -> dict[str, Sequence[model.Window]]:
        """Collect the same windows of each project, some at a time.

        :returns: the windows that are another collector's to collect, by project id.
        """
        left: dict[str, Sequence[model.Window]] = {}
        while visits and windows:
            count = max(1, self.tools.questions.batch_size // len(visits))
            part, windows = windows[:count], windows[count:]
            answer = self.tools.questions.fetch_batch([visit.project.id for visit in visits], part) or {}
            going_on = []
            for visit in visits:
                taken = self._collect_windows(visit, part, answer.pop(visit.project.id, None))
                if taken is None:
                    going_on.append(visit)
                elif taken:
                    left[visit.project.id] = [*taken, *windows]
            visits = going_on
        return left

    def _collect_windows(
        self, visit: ProjectCollector, windows: Sequence[model.Window], answers: Sequence[Samples] | None
    ) -> Sequence[model.Window] | None:
        """:returns: None where all are done, else the windows that are another collector's to collect."""
        for number, window in enumerate(windows):
            failure: Exception
            try:
                with project_context(visit.project, window):
                    rated = visit.collect(window, answers[number] if answers else None)
                self.record.committed(rated)
                continue
            except exceptions.ShutdownRequested:
                raise
            except Exception as error:
                # Whatever it is: what one project's data bring to light must not cost the others their usage.
                failure = error
            # Told outside of the except block, or oslo.log would add the exception's text to it again.
            with project_context(visit.project, window):
                _tell(visit.project, window, failure)
            if isinstance(failure, _TAKEN):
                return windows[number:]
            self.record.fail(visit.project.id, failure)
            return ()
        return None

    def _fail(self, project: model.Project, failure: exceptions.StoreError) -> None:
        with project_context(project):
            LOG.error("Project %s (%s): it waits for the next run: %s", project.id, project.name, failure)
        self.record.fail(project.id, failure)

    def _say(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        LOG.warning("Attempt %d to take projects failed: %s", state.attempt_number, error)
        self.tools.metrics.retries.labels(STEP_TAKE).inc()


def _tell(project: model.Project, window: model.Window, failure: Exception) -> None:
    if isinstance(failure, _TAKEN):
        LOG.debug("Project %s (%s): window %s: %s; moving on.", project.id, project.name, window, failure)
        return
    trace = None if isinstance(failure, exceptions.DistilError) else failure
    LOG.error(
        "Project %s (%s): window %s waits for the next run: %s",
        project.id,
        project.name,
        window,
        failure,
        exc_info=trace,
    )
