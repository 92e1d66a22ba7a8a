# SPDX-License-Identifier: Apache-2.0
"""Collects a batch of projects: claims them, fetches their samples together, collects them window by window."""

import contextlib
import enum
import itertools
from collections.abc import Iterable
from collections.abc import Sequence

from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.plan import DueProject
from distil.collector.retrying import RetryPolicy
from distil.collector.samples import SampleFetcher
from distil.collector.window import WindowCollector
from distil.coordination.leases import Claim
from distil.coordination.leases import Partitioner
from distil.db.project_store import ProjectStore
from distil.db.store import Store
from distil.monitoring.log_context import project_context
from distil.monitoring.metrics import RetryStep
from distil.monitoring.run import RunMonitor
from distil.text import pluralize

LOG = log.getLogger(__name__)

_HELD_ERRORS = (exceptions.ProjectReassigned, exceptions.WindowAlreadyCommitted)


class _Outcome(enum.Enum):
    """What became of a window: it was committed, the project failed, or another collector has the project."""

    COMMITTED = enum.auto()
    FAILED = enum.auto()
    HELD = enum.auto()


class BatchCollector:
    """Collects batches of projects with the same windows. Threads share it.

    One project's failure never affects the others of its batch.
    """

    def __init__(
        self,
        *,
        fetcher: SampleFetcher,
        windows: WindowCollector,
        store: Store,
        partitioner: Partitioner,
        monitor: RunMonitor,
        retry_policy: RetryPolicy,
    ) -> None:
        self._fetcher = fetcher
        self._windows = windows
        self._store = store
        self._partitioner = partitioner
        self._monitor = monitor
        self._retry_policy = retry_policy

    def collect(self, batch: Sequence[DueProject]) -> list[DueProject]:
        """Collect the windows of each project, up to the first that fails.

        :returns: the projects that other collectors hold, with the windows that are left.
        :raises ShutdownRequested: committed windows stay.
        """
        held: list[DueProject] = []
        claimed: list[DueProject] = []
        with contextlib.ExitStack() as claims:
            for due in batch:
                with project_context(due.project):
                    try:
                        claim = self._claim(claims, due)
                    except exceptions.StoreError as error:
                        self._fail(due.project, error)
                    else:
                        (claimed if claim is Claim.HELD else held).append(due)
            # The previous holders may have committed some of the windows.
            for windows, group in itertools.groupby(self._still_due(claimed), key=lambda due: due.windows):
                projects = [(due.project, self._store.project(due.project.id)) for due in group]
                held += self._collect(projects, windows)
        return held

    def still_due(self, projects: Iterable[DueProject]) -> list[DueProject]:
        """The projects without the windows that were committed meanwhile.

        :raises StoreError: the database failed.
        """
        projects = list(projects)
        last_collected = self._store.last_collected([project.id for project, _ in projects])
        due = []
        for project, windows in projects:
            starts = [window.start for window in windows]
            stored = last_collected.get(project.id)
            committed = starts.index(stored) if stored in starts else len(starts)
            self._monitor.skip(committed)
            due.append(DueProject(project, windows[committed:]))
        return [project for project in due if project.windows]

    def _claim(self, claims: contextlib.ExitStack, due: DueProject) -> Claim:
        """Claim a project until the end of ``claims``."""
        project = due.project
        attempts = self._retry_policy.attempts(RetryStep.TAKE, f"Claiming project {project.id} ({project.name})")
        return attempts(lambda: claims.enter_context(self._partitioner.claim(project.id, due.windows[0].start)))

    def _still_due(self, claimed: Sequence[DueProject]) -> list[DueProject]:
        subject = f"Reading last collected of {pluralize(len(claimed), 'project')}"
        try:
            return self._retry_policy.attempts(RetryStep.TAKE, subject)(self.still_due, claimed)
        except exceptions.StoreError as error:
            for project, _ in claimed:
                self._fail(project, error)
            return []

    def _collect(
        self, projects: Sequence[tuple[model.Project, ProjectStore]], windows: Sequence[model.Window]
    ) -> list[DueProject]:
        """Collect the same windows of each project, as many at a time as one request covers.

        :returns: the projects that other collectors have taken meanwhile, with the windows that are left.
        """
        held = []
        while projects and windows:
            size = max(1, self._fetcher.batch_size // len(projects))
            chunk, windows = windows[:size], windows[size:]
            samples = dict(self._fetcher.fetch_batch([project.id for project, _ in projects], chunk))
            remaining = []
            for project, store in projects:
                # Taken out, so that memory is freed while the batch is collected.
                outcome, left = self._collect_windows(project, store, chunk, samples.pop(project.id, ()))
                if outcome is _Outcome.COMMITTED:
                    remaining.append((project, store))
                elif outcome is _Outcome.HELD:
                    held.append(DueProject(project, [*left, *windows]))
            projects = remaining
        return held

    def _collect_windows(
        self,
        project: model.Project,
        store: ProjectStore,
        windows: Sequence[model.Window],
        samples: Sequence[Sequence[model.Sample | model.RejectedSample]],
    ) -> tuple[_Outcome, Sequence[model.Window]]:
        """Collect windows up to the first that is not committed.

        :param samples: of each window; empty where they have to be fetched.
        :returns: the outcome of the last one, and the windows that are left.
        """
        for number, window in enumerate(windows):
            with project_context(project, window):
                outcome = self._collect_window(project, store, window, samples[number] if samples else None)
            if outcome is not _Outcome.COMMITTED:
                return outcome, windows[number:]
        return _Outcome.COMMITTED, ()

    def _collect_window(
        self,
        project: model.Project,
        store: ProjectStore,
        window: model.Window,
        samples: Sequence[model.Sample | model.RejectedSample] | None,
    ) -> _Outcome:
        try:
            self._windows.collect(project, store, window, samples)
        except exceptions.ShutdownRequested:
            raise
        except _HELD_ERRORS as error:
            LOG.debug("Project %s (%s): skipping window %s: %s", project.id, project.name, window, error)
            return _Outcome.HELD
        except Exception as error:
            # Of any kind: unexpected data of one project must not affect the others.
            log_failure = LOG.error if isinstance(error, exceptions.DistilError) else LOG.exception
            message = "Project %s (%s): window %s failed, retrying in the next run: %s"
            log_failure(message, project.id, project.name, window, error)
            self._monitor.fail(project.id, error)
            return _Outcome.FAILED
        return _Outcome.COMMITTED

    def _fail(self, project: model.Project, error: exceptions.StoreError) -> None:
        with project_context(project):
            LOG.error("Project %s (%s) failed, retrying in the next run: %s", project.id, project.name, error)
        self._monitor.fail(project.id, error)
