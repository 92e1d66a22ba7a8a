# SPDX-License-Identifier: Apache-2.0
"""A run: load the projects, plan their windows, dispatch them, and assess the result."""

import datetime
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.assessment import require_collection
from distil.collector.dispatcher import Dispatcher
from distil.collector.due import DueProject
from distil.collector.plan import Plan
from distil.collector.projects import CollectedProjects
from distil.collector.projects import ScopedProjects
from distil.collector.retrying import RetryPolicy
from distil.collector.scheduled_rechecks import ScheduledRechecks
from distil.coordination.leases import Partitioner
from distil.db import leases
from distil.db.project_failures import Failure
from distil.db.store import Store
from distil.monitoring.history import RunResult
from distil.monitoring.metrics import RetryStep
from distil.monitoring.project_states import ProjectStates
from distil.monitoring.run import RunMonitor
from distil.text import pluralize

LOG = log.getLogger(__name__)

# Seconds that a run up to an end time waits for projects held by other collectors, without any progress: the lease of
# a collector that was killed expires meanwhile.
_HELD_TIMEOUT = leases.LEASE_SECONDS + 60

_MAX_CLOCK_SKEW = datetime.timedelta(minutes=1)


class Collector:
    """Runs a collector.

    :param name: for log lines and stored failures.
    :param rechecks: that are made after a run; None: none are.
    :param clock: the time, aware and in UTC.
    """

    def __init__(
        self,
        *,
        name: str,
        projects: ScopedProjects,
        plan: Plan,
        partitioner: Partitioner,
        dispatcher: Dispatcher,
        store: Store,
        monitor: RunMonitor,
        retry_policy: RetryPolicy,
        rechecks: ScheduledRechecks | None,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._name = name
        self._projects = projects
        self._plan = plan
        self._partitioner = partitioner
        self._dispatcher = dispatcher
        self._store = store
        self._monitor = monitor
        self._retry_policy = retry_policy
        self._rechecks = rechecks
        self._clock = clock

    def run(self, end: datetime.datetime | None = None) -> RunResult:
        """Collect the windows that are due; with ``end``, all whole windows up to then.

        :raises NothingCollected: no project is in scope, or no window was committed and at least half of the projects
            failed.
        :raises SchemaError: the database is at another revision, so nothing was collected.
        :raises IdentityError: the projects could not be loaded, so nothing was collected.
        :raises StoreError: the database failed before anything was collected, or after the last window.
        :raises ShutdownRequested: committed windows stay.
        """
        started = self._monitor.result.started
        attempts = self._retry_policy.attempts(RetryStep.PLAN, "Planning")
        attempts(self._store.require_head)
        now = attempts(self._reference_time, started)
        scope = attempts(self._projects.load, now)
        for project_id, problem in scope.failures.items():
            self._monitor.fail(project_id, problem)
        due = self._due(scope, now, end)
        self._partitioner.start_run()
        held = self._dispatcher.run(due, timeout=_HELD_TIMEOUT if end else 0)
        states = attempts(self._assess, scope, held, now, end)
        self._store_failures(scope.projects, states, held)
        seconds = (self._clock() - started).total_seconds()
        result = self._monitor.result
        paused = " (paused)" if self._is_paused(end) else ""
        LOG.info("Run of collector %s finished%s: %s; %.1f seconds.", self._name, paused, result, seconds)
        if not self._is_paused(end):
            require_collection(result, self._monitor.failures, self._name, scope.enabled)
        for reason, number in self._monitor.outages.items():
            LOG.error("%s failed, retrying in the next run: %s", pluralize(number, "project"), reason)
        return result

    def recheck(self, until: datetime.datetime) -> None:
        """After a run: compare windows that were collected earlier with what the telemetry service holds now.

        A failure is logged.

        :param until: nothing is begun after this time.
        :raises ShutdownRequested: what was found stays stored.
        """
        if self._rechecks:
            self._rechecks.run(until)

    def _reference_time(self, now: datetime.datetime) -> datetime.datetime:
        """Now by the host's or the database's clock, whichever is behind.

        A window that is stored before it is over would lose the samples that are still to come.
        """
        database = self._store.now()
        problem = clock_skew(now, database)
        if problem:
            LOG.error("%s", problem)
        return min(now, database)

    def _is_paused(self, end: datetime.datetime | None) -> bool:
        return end is None and not self._plan.max_windows_per_cycle

    def _due(
        self, scope: CollectedProjects, now: datetime.datetime, end: datetime.datetime | None
    ) -> Sequence[DueProject]:
        paused = self._is_paused(end)
        if paused:
            LOG.warning("Collector %s is paused: max_windows_per_cycle is 0, so nothing is collected.", self._name)
        due = [
            self._plan.due(project, scope.last_collected[project.id], now, end, scope.until.get(project.id))
            for project in scope.projects
            if project.id in scope.last_collected
        ]
        planned = [project for project in due if project.planned]
        self._monitor.planned(
            scope.last_collected,
            projects=scope.in_scope,
            departing=len(scope.until),
            missing=scope.missing,
            unmatched=[str(entry) for entry in scope.unmatched],
            due=sum(len(project.windows) for project in due),
            windows=sum(project.planned for project in planned),
            paused=paused,
        )
        return planned

    def _assess(
        self, scope: CollectedProjects, held: set[str], now: datetime.datetime, end: datetime.datetime | None
    ) -> ProjectStates:
        """Read how far all projects are now, also those that other collectors collect."""
        projects = scope.projects
        last_collected = self._store.last_collected([project.id for project in projects])
        failures = self._monitor.failures
        if end:
            unusable = {project_id: str(problem) for project_id, problem in scope.failures.items()}
            failures = unusable | self._behind_end(scope, last_collected, end)
        due = {
            project_id: self._plan.count_due(stored, now, end, scope.until.get(project_id))
            for project_id, stored in last_collected.items()
        }
        states = ProjectStates.of(projects, last_collected, due, failures, held)
        self._monitor.set_project_states(states, last_collected, failures)
        return states

    def _behind_end(
        self, scope: CollectedProjects, last_collected: Mapping[str, datetime.datetime], end: datetime.datetime
    ) -> dict[str, str]:
        """Reason by id of each project with a whole window up to the end that is not stored."""
        behind = {}
        for project in scope.projects:
            stored = last_collected.get(project.id)
            if stored is None or self._plan.window(stored).end <= min(end, scope.until.get(project.id, end)):
                problem = f"not collected up to {end}; last collected is {stored}"
                reason = self._monitor.failures.get(project.id, problem)
                if reason not in self._monitor.outages:
                    LOG.error("Project %s (%s): %s", project.id, project.name, problem)
                behind[project.id] = reason
        return behind

    def _store_failures(self, projects: Sequence[model.Project], states: ProjectStates, held: set[str]) -> None:
        """Store why projects failed, for commands that only see the database. Nothing else depends on it."""
        windows = {
            project.project_id: self._plan.window(project.last_collected)
            for project in states.lagging
            if project.last_collected
        }
        failures = [
            Failure(project_id, self._name, windows.get(project_id), reason)
            for project_id, reason in self._monitor.failures.items()
        ]
        succeeded = {project.id for project in projects} - held - self._monitor.failures.keys()
        try:
            self._store.record_failures(failures, self._clock())
            self._store.clear_failures(succeeded)
        except exceptions.StoreError as error:
            LOG.warning("Could not store why projects failed; project list will not show it: %s", error)


def clock_skew(host: datetime.datetime, database: datetime.datetime) -> str | None:
    """A sentence about two clocks that differ by more than a minute; None where they agree."""
    if abs(host - database) <= _MAX_CLOCK_SKEW:
        return None
    return f"the clocks of this host ({host}) and of the database ({database}) differ; set the one that is wrong"
