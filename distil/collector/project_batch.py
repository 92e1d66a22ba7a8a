# SPDX-License-Identifier: Apache-2.0
"""Collects a batch of projects: claims them, fetches their samples together, collects them window by window."""

import contextlib
import dataclasses
import enum
import itertools
import logging
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil import model
from distil.cloud.outage import OutageDetector
from distil.collector.due import Allowance
from distil.collector.due import DueProject
from distil.collector.due import WindowRange
from distil.collector.guard import MeterGuard
from distil.collector.origin import Origin
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

_STORE_ERRORS = (exceptions.StoreError, exceptions.ServiceOutage)
_HELD_ERRORS = (exceptions.ProjectReassigned, exceptions.WindowAlreadyCommitted)


class _Outcome(enum.Enum):
    """What became of a window.

    It was committed, with or without samples, the project failed, another collector has the project, or it depends on
    windows of other projects.
    """

    COMMITTED = enum.auto()
    EMPTY = enum.auto()
    FAILED = enum.auto()
    HELD = enum.auto()
    DEFERRED = enum.auto()

    @property
    def is_committed(self) -> bool:
        return self in (_Outcome.COMMITTED, _Outcome.EMPTY)


@dataclasses.dataclass(frozen=True)
class _ClaimedProject:
    """A project that is being collected.

    :param limit: how many windows may be collected beside those that are empty.
    :param empty: number of windows so far that were empty and did not count.
    """

    project: model.Project
    store: ProjectStore
    limit: int
    empty: int = 0


class _Collected(NamedTuple):
    """How far a project was collected.

    :param windows: number of windows committed.
    :param outcome: of the last window.
    """

    claimed: _ClaimedProject
    windows: int
    outcome: _Outcome


class Leftover(NamedTuple):
    """Projects with the windows that are left, because other collectors hold them or they are deferred."""

    held: list[DueProject]
    deferred: list[DueProject]


class BatchCollector:
    """Collects batches of projects with the same windows. Threads share it.

    One project's failure never affects the others of its batch.

    :param outages: detects those of the database.
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
        origin: Origin,
        outages: OutageDetector,
        guard: MeterGuard,
    ) -> None:
        self._fetcher = fetcher
        self._windows = windows
        self._store = store
        self._partitioner = partitioner
        self._monitor = monitor
        self._retry_policy = retry_policy
        self._origin = origin
        self._outages = outages
        self._guard = guard
        self._suspects: set[str] = set()

    @property
    def suspects(self) -> frozenset[str]:
        """The ids of the projects whose last attempt failed, without those that an outage kept from being attempted.

        What they ask for may be what a service hangs on, or fails at together with all that is in one request with it.
        """
        return frozenset(self._suspects.copy())

    def collect(self, batch: Sequence[DueProject], allowance: Allowance) -> Leftover:
        """Collect the windows of each project, up to its limit or the first that fails.

        :param allowance: the empty windows that do not count towards the limits.
        :raises ShutdownRequested: committed windows stay.
        """
        held: list[DueProject] = []
        deferred: list[DueProject] = []
        claimed: list[DueProject] = []
        with contextlib.ExitStack() as claims:
            for due in batch:
                with project_context(due.project):
                    try:
                        claim = self._claim(claims, due)
                    except _STORE_ERRORS as error:
                        self._fail(due.project, error)
                    else:
                        (claimed if claim is Claim.HELD else held).append(due)
            # The previous holders may have committed some of the windows.
            for windows, group in itertools.groupby(self._still_due(claimed), key=lambda due: due.windows):
                own = self._origin.resolved
                projects = [
                    _ClaimedProject(due.project, self._store.project(due.project.id, own), due.limit) for due in group
                ]
                leftover = self._collect(projects, windows, allowance)
                held += leftover.held
                deferred += leftover.deferred
        return Leftover(held, deferred)

    def still_due(self, projects: Iterable[DueProject]) -> list[DueProject]:
        """The projects without the windows that were committed meanwhile.

        :raises StoreError: the database failed.
        """
        projects = list(projects)
        last_collected = self._store.last_collected([due.project.id for due in projects])
        still_due = []
        for due in projects:
            left = due._replace(windows=due.windows.after(last_collected.get(due.project.id)))
            self._monitor.skip(due.planned - left.planned)
            still_due.append(left)
        return [due for due in still_due if due.windows]

    def _claim(self, claims: contextlib.ExitStack, due: DueProject) -> Claim:
        """Claim a project until the end of ``claims``."""
        project = due.project
        attempts = self._retry_policy.attempts(RetryStep.TAKE, f"Claiming project {project.id} ({project.name})")
        with self._outages.watch(self._store.now):
            return attempts(lambda: claims.enter_context(self._partitioner.claim(project.id, due.windows[0].start)))

    def _still_due(self, claimed: Sequence[DueProject]) -> list[DueProject]:
        subject = f"Reading last collected of {pluralize(len(claimed), 'project')}"
        try:
            with self._outages.watch(self._store.now):
                attempts = self._retry_policy.attempts(RetryStep.TAKE, subject)
                return attempts(self._prepare, claimed)
        except _STORE_ERRORS as error:
            for due in claimed:
                self._fail(due.project, error)
            return []

    def _prepare(self, claimed: Sequence[DueProject]) -> list[DueProject]:
        still_due = self.still_due(claimed)
        self._guard.load(still_due)
        return still_due

    def _collect(self, projects: Sequence[_ClaimedProject], windows: WindowRange, allowance: Allowance) -> Leftover:
        """Collect the same windows of each project, as many at a time as one request covers.

        Many are requested at once only after many that were empty: of samples beyond the limit no use is made.
        """
        held = []
        deferred = []
        while projects and windows:
            wanted = max(claimed.limit + claimed.empty for claimed in projects)
            chunk = windows[: self._fetcher.adjacent_windows(len(projects), wanted)]
            try:
                samples = dict(self._fetcher.fetch_batch([claimed.project.id for claimed in projects], chunk))
            except exceptions.ServiceOutage as error:
                for claimed in projects:
                    self._fail(claimed.project, error)
                break
            remaining = []
            for claimed in projects:
                # Taken out, so that memory is freed while the batch is collected.
                done = self._collect_windows(claimed, chunk, samples.pop(claimed.project.id, ()), allowance)
                left = DueProject(claimed.project, windows[done.windows :], done.claimed.limit)
                if done.outcome is _Outcome.HELD:
                    held.append(left)
                elif done.outcome is _Outcome.DEFERRED:
                    deferred.append(left)
                elif done.outcome.is_committed and done.claimed.limit:
                    remaining.append(done.claimed)
            projects, windows = remaining, windows[len(chunk) :]
        return Leftover(held, deferred)

    def _collect_windows(
        self,
        claimed: _ClaimedProject,
        windows: WindowRange,
        samples: Sequence[Sequence[model.Sample | model.RejectedSample]],
        allowance: Allowance,
    ) -> _Collected:
        """Collect windows up to the project's limit, or to the first that is not committed.

        :param samples: of each window; empty where they have to be fetched.
        """
        outcome = _Outcome.COMMITTED
        for number, window in enumerate(windows):
            if not claimed.limit:
                return _Collected(claimed, number, outcome)
            with project_context(claimed.project, window):
                outcome = self._collect_window(claimed, window, samples[number] if samples else None)
            if not outcome.is_committed:
                return _Collected(claimed, number, outcome)
            if outcome is _Outcome.EMPTY and allowance.take():
                claimed = dataclasses.replace(claimed, empty=claimed.empty + 1)
            else:
                claimed = dataclasses.replace(claimed, limit=claimed.limit - 1)
        return _Collected(claimed, len(windows), outcome)

    def _collect_window(
        self,
        claimed: _ClaimedProject,
        window: model.Window,
        samples: Sequence[model.Sample | model.RejectedSample] | None,
    ) -> _Outcome:
        project = claimed.project
        try:
            with self._outages.watch(self._store.now):
                rated = self._windows.collect(project, claimed.store, window, samples)
        except exceptions.ShutdownRequested:
            raise
        except _HELD_ERRORS as error:
            LOG.debug("Project %s (%s): skipping window %s: %s", project.id, project.name, window, error)
            return _Outcome.HELD
        except exceptions.WindowDeferred as error:
            LOG.debug("Project %s (%s): window %s is deferred: %s", project.id, project.name, window, error)
            return _Outcome.DEFERRED
        except Exception as error:
            # Of any kind: unexpected data of one project must not affect the others.
            self._fail(project, error, window)
            return _Outcome.FAILED
        self._suspects.discard(project.id)
        return _Outcome.EMPTY if rated.is_empty else _Outcome.COMMITTED

    def _fail(self, project: model.Project, error: Exception, window: model.Window | None = None) -> None:
        """Log and count a failed project. An outage, or a vanished meter, is logged once for all projects."""
        with project_context(project, window):
            exc_info = None if isinstance(error, exceptions.DistilError) else error
            is_logged_once = isinstance(error, (exceptions.ServiceOutage, exceptions.MetersVanished))
            level = logging.DEBUG if is_logged_once else logging.ERROR
            message = "Project %s (%s)%s failed, retrying in the next run: %s"
            subject = f": window {window}" if window else ""
            LOG.log(level, message, project.id, project.name, subject, error, exc_info=exc_info)
        if not isinstance(error, exceptions.MetersVanished) and (
            not isinstance(error, exceptions.ServiceOutage) or error.after_request
        ):
            self._suspects.add(project.id)
        self._monitor.fail(project.id, error)
