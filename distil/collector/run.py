# SPDX-License-Identifier: Apache-2.0
"""One run: every project in scope, window by window."""

import dataclasses
import datetime
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Set

import tenacity
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.dispatcher import Dispatcher
from distil.collector.plan import Plan
from distil.collector.plan import floor
from distil.collector.projects import ScopedProjects
from distil.collector.retrying import retrying
from distil.collector.window import Tools
from distil.db import leases
from distil.db.failures import Failure
from distil.monitoring.metrics import STEP_PLAN
from distil.monitoring.run import Record
from distil.monitoring.standing import standing
from distil.monitoring.summary import Summary

LOG = log.getLogger(__name__)

# Seconds that a run up to an end time waits for what another collector has, while nothing of it moves. The lease of one
# that was killed expires meanwhile.
HELD_PROJECTS_TIMEOUT = leases.LEASE_SECONDS + 60

MAX_CLOCK_SKEW = datetime.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collector:
    """Makes runs.

    :param name: what log lines call it.
    :param concurrency: number of threads that collect.
    :param clock: the time, aware and in UTC.
    """

    name: str
    roster: ScopedProjects
    plan: Plan
    tools: Tools
    concurrency: int
    clock: Callable[[], datetime.datetime]

    def run(self, record: Record, end: datetime.datetime | None = None) -> Summary:
        """Collect the windows that are due; with ``end``, all whole ones up to then, however many.

        :param record: is told what becomes of it.
        :raises IdentityError: the projects are not known, so nothing was collected.
        :raises StoreError: nor was anything where the database does not answer at the beginning.
        :raises Stopped: the collector is stopping; what is committed stays.
        """
        attempt = retrying(self.tools.stop, self._say)
        now = attempt(self._certainly_over, record.started)
        until = min(self.plan.latest_end(now), end or now)
        projects, collected = attempt(self.roster.load, now)
        self.tools.metrics.lags.replace(collected)
        due = {project_id: self._due(stands, now, end) for project_id, stands in collected.items()}
        all_due = sum(self.plan.count(stands, until) for stands in collected.values())
        record.plan(len(projects), all_due, windows=sum(map(len, due.values())))
        if end is None and not self.plan.max_windows_per_cycle:
            LOG.warning("max_windows_per_cycle of collector %s is 0, so it collects nothing.", self.name)
        self.tools.sharing.start_run()
        turns = Dispatcher(tools=self.tools, concurrency=self.concurrency, record=record)
        work = [(project, due[project.id]) for project in projects if due.get(project.id)]
        left = turns.run(work, patience=HELD_PROJECTS_TIMEOUT if end else 0)
        attempt(self._look_back, record, projects, left, until, end)
        self._remember(record, {project.id for project in projects} - set(left))
        took = (self.clock() - record.started).total_seconds()
        LOG.info("Run of collector %s over %s; %.1f seconds.", self.name, record.summary, took)
        return record.summary

    def _look_back(
        self,
        record: Record,
        projects: Sequence[model.Project],
        left: Collection[str],
        until: datetime.datetime,
        end: datetime.datetime | None,
    ) -> None:
        """See how the projects stand, also those that others collect."""
        collected = self.tools.store.last_collected([project.id for project in projects])
        self.tools.metrics.lags.replace(collected)
        failed = record.summary.failed
        if end:
            failed = record.summary.failed = _short_of(end, projects, collected, failed)
        record.leave(standing(projects, collected, lambda stands: self.plan.count(stands, until), failed, left))

    def _remember(self, record: Record, own: Set[str]) -> None:
        """Store why projects wait, for who asks the database and not this process. Nothing else depends on it.

        :param own: ids of the projects that are not other collectors'.
        """
        behind = record.standing.behind if record.standing else ()
        windows = {each.project_id: self.plan.window(each.last_collected) for each in behind}
        failed = record.summary.failed
        failures = [Failure(each, self.name, windows.get(each), why) for each, why in failed.items()]
        try:
            self.tools.store.record_failures(failures, self.clock())
            self.tools.store.clear_failures(own - failed.keys())
        except exceptions.StoreError as error:
            LOG.warning("Why projects wait is not stored: %s", error)

    def _certainly_over(self, now: datetime.datetime) -> datetime.datetime:
        """Now, by this host's clock or the database's, whichever is behind.

        A window that is stored before it is over loses what is still to come, for good.
        """
        stored = self.tools.store.now()
        if abs(stored - now) > MAX_CLOCK_SKEW:
            LOG.error("This host's clock says %s and the database's %s: one of them is wrong.", now, stored)
        return min(now, stored)

    def _due(
        self, last_collected: datetime.datetime, now: datetime.datetime, end: datetime.datetime | None
    ) -> list[model.Window]:
        """The windows of a project that this run collects."""
        if end is None:
            return list(self.plan.due(last_collected, now))
        return list(self.plan.windows(last_collected, min(end, self.plan.latest_end(now))))

    def _say(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        LOG.warning("Attempt %d to find out what is due failed: %s", state.attempt_number, error)
        self.tools.metrics.retries.labels(STEP_PLAN).inc()


def _short_of(
    end: datetime.datetime,
    projects: Iterable[model.Project],
    collected: Mapping[str, datetime.datetime],
    failed: Mapping[str, str],
) -> dict[str, str]:
    """Why, of the projects that do not stand at the last full hour up to the end."""
    problems = {}
    for project in projects:
        stands = collected.get(project.id)
        if stands is None or stands < floor(end):
            problem = f"it could not be brought up to {end}; it stands at {stands}"
            LOG.error("Project %s (%s): %s", project.id, project.name, problem)
            problems[project.id] = failed.get(project.id, problem)
    return problems
