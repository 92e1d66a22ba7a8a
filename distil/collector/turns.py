# SPDX-License-Identifier: Apache-2.0
"""Project by project, each as far as it goes, and those that others have at the end once more."""

import dataclasses
import time
from collections.abc import Iterable
from collections.abc import Sequence

import tenacity
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.attempts import attempts
from distil.collector.sharing import Sharing
from distil.collector.stop import Stop
from distil.collector.summary import Progress
from distil.collector.summary import Summary
from distil.collector.window import WindowCollector
from distil.db.store import Store

LOG = log.getLogger(__name__)

# A project and its windows that are due, oldest first.
Work = tuple[model.Project, Sequence[model.Window]]

_TAKEN = (exceptions.ProjectTaken, exceptions.WindowTaken)

# Seconds from one look to the next at what others have.
_PAUSE = 1.0


@dataclasses.dataclass(kw_only=True)
class Turns:
    """One run's work."""

    sharing: Sharing
    store: Store
    windows: WindowCollector
    stop: Stop
    summary: Summary
    progress: Progress | None

    def take(self, work: Iterable[Work], patience: float) -> None:
        """Collect the windows of each project, up to the first that cannot be.

        What another collector has is looked at again at the end: it may have died, or left something over. With
        patience that goes on until nothing is left, or nothing has moved for so many seconds.

        :raises StoreError: the database did not answer at the end.
        :raises Stopped: the collector is stopping; what is committed stays.
        """
        left = before = self._round(work)
        moved = time.monotonic()
        while left:
            left = self._round(self._not_committed(before))
            if left != before:
                moved = time.monotonic()
            if not left or time.monotonic() - moved >= patience:
                break
            before = left
            if self.stop.wait(_PAUSE):
                raise exceptions.Stopped("the collector is stopping")
        if left:
            LOG.info("%d projects are left to other collectors.", len(left))

    def _round(self, work: Iterable[Work]) -> list[Work]:
        """:returns: what others have of it."""
        left = ((project, self._turn(project, windows)) for project, windows in work)
        return [(project, windows) for project, windows in left if windows]

    def _turn(self, project: model.Project, windows: Sequence[model.Window]) -> Sequence[model.Window]:
        """:returns: the windows that are another collector's to collect."""
        failure: exceptions.StoreError
        try:
            return attempts(self.stop, _say)(self._hold_and_collect, project, windows)
        except exceptions.StoreError as error:
            failure = error
        LOG.error("Project %s (%s) waits for the next run: %s", project.id, project.name, failure)
        self.summary.failed.append(project.id)
        return ()

    def _hold_and_collect(self, project: model.Project, windows: Sequence[model.Window]) -> Sequence[model.Window]:
        """:raises StoreError: the database failed while the project was taken, looked at or given back."""
        with self.sharing.hold(project.id, windows[0].start) as held:
            if not held:
                return windows
            # Whoever had it until now may have done some of them.
            for _, due in self._not_committed([(project, windows)]):
                return self._collect(project, due)
            return ()

    def _not_committed(self, work: Sequence[Work]) -> list[Work]:
        """Without the windows that have been committed meanwhile."""
        collected = self.store.last_collected([project.id for project, _ in work])
        rest = []
        for project, windows in work:
            starts = [window.start for window in windows]
            done = starts.index(collected[project.id]) if collected.get(project.id) in starts else len(starts)
            self._advance(done)
            rest.append((project, windows[done:]))
        return [(project, windows) for project, windows in rest if windows]

    def _collect(self, project: model.Project, windows: Sequence[model.Window]) -> Sequence[model.Window]:
        """:returns: the windows that are another collector's to collect."""
        for number, window in enumerate(windows):
            failure: Exception
            try:
                self.summary.add(self.windows.collect(project, window))
                self._advance(1)
                continue
            except exceptions.Stopped:
                raise
            except Exception as error:
                # Whatever it is: what one project's data bring to light must not cost the others their usage.
                failure = error
            # Told outside of the except block, or oslo.log would add the exception's text to it again.
            _tell(project, window, failure)
            if isinstance(failure, _TAKEN):
                return windows[number:]
            self.summary.failed.append(project.id)
            return ()
        return ()

    def _advance(self, windows: int) -> None:
        if self.progress:
            for _ in range(windows):
                self.progress.advance()


def _tell(project: model.Project, window: model.Window, failure: Exception) -> None:
    if isinstance(failure, _TAKEN):
        LOG.info("Project %s: window %s: %s; moving on.", project.id, window, failure)
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


def _say(state: tenacity.RetryCallState) -> None:
    project, _ = state.args
    error = state.outcome.exception() if state.outcome else None
    LOG.warning("Project %s: attempt %d to take it failed: %s", project.id, state.attempt_number, error)
