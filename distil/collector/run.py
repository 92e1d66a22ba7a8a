# SPDX-License-Identifier: Apache-2.0
"""One run: every project in scope, window by window."""

import dataclasses
import datetime
import random
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import tenacity
from oslo_log import log

from distil import model
from distil.cloud.projects import Projects
from distil.collector.attempts import attempts
from distil.collector.plan import Plan
from distil.collector.plan import floor
from distil.collector.scope import Scope
from distil.collector.summary import Progress
from distil.collector.summary import Summary
from distil.collector.turns import Turns
from distil.collector.window import Tools
from distil.db import leases

LOG = log.getLogger(__name__)

# Seconds that a run up to an end time waits for what another collector has, while nothing of it moves. The lease of one
# that was killed expires meanwhile.
PATIENCE = leases.LENGTH + 60


_CLOCKS_DIFFER = datetime.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collector:
    """Makes runs.

    :param name: what log lines call it.
    :param project_order: ascending or descending by id, or random.
    :param concurrency: number of threads that collect.
    :param clock: the time, aware and in UTC.
    """

    name: str
    keystone: Projects
    scope: Scope
    plan: Plan
    tools: Tools
    project_order: str
    concurrency: int
    clock: Callable[[], datetime.datetime]

    def run(self, end: datetime.datetime | None = None, progress: Progress | None = None) -> Summary:
        """Collect the windows that are due; with ``end``, all whole ones up to then, however many.

        :raises IdentityError: the projects are not known, so nothing was collected.
        :raises StoreError: nor was anything where the database does not answer at the beginning.
        :raises Stopped: the collector is stopping; what is committed stays.
        """
        started = self.clock()
        self.tools.metrics.last_run_start.set(started.timestamp())
        summary = self._run(started, end, progress)
        # Not for a run that failed as a whole: that the end grows old is how an operator's alert finds that out.
        ended = self.clock()
        self.tools.metrics.last_run_end.set(ended.timestamp())
        self.tools.metrics.last_run_duration.set((ended - started).total_seconds())
        LOG.info("Run of collector %s over %s; %.1f seconds.", self.name, summary, (ended - started).total_seconds())
        return summary

    def _run(self, now: datetime.datetime, end: datetime.datetime | None, progress: Progress | None) -> Summary:
        now = attempts(self.tools.stop, _say)(self._certainly_over, now)
        projects, collected = attempts(self.tools.stop, _say)(self._standing, now)
        due = {project.id: self._due(collected[project.id], now, end) for project in projects}
        if end is None and not self.plan.max_windows_per_cycle:
            LOG.warning("max_windows_per_cycle of collector %s is 0, so it collects nothing.", self.name)
        if progress:
            progress.expect(sum(map(len, due.values())))
        summary = Summary(projects=len(projects))
        self.tools.sharing.begin()
        turns = Turns(tools=self.tools, concurrency=self.concurrency, summary=summary, progress=progress)
        work = [(project, due[project.id]) for project in projects if due[project.id]]
        turns.take(work, patience=PATIENCE if end else 0)
        if end:
            summary.failed = attempts(self.tools.stop, _say)(self._behind, projects, end)
        return summary

    def _certainly_over(self, now: datetime.datetime) -> datetime.datetime:
        """Now, by this host's clock or the database's, whichever is behind.

        A window that is stored before it is over loses what is still to come, for good.
        """
        stored = self.tools.store.now()
        if abs(stored - now) > _CLOCKS_DIFFER:
            LOG.error("This host's clock says %s and the database's %s: one of them is wrong.", now, stored)
        return min(now, stored)

    def _standing(self, now: datetime.datetime) -> tuple[list[model.Project], Mapping[str, datetime.datetime]]:
        """The projects in scope in their order, and last collected of each."""
        projects = self._ordered(self._in_scope())
        collected = self._last_collected(projects, now)
        for project in projects:
            if project.id not in collected:
                LOG.error("Project %s (%s): its last collected cannot be read or stored.", project.id, project.name)
        return [project for project in projects if project.id in collected], collected

    def _in_scope(self) -> list[model.Project]:
        domain_ids = self.keystone.domain_ids(self.scope.domains)
        for entry, domain_id in domain_ids.items():
            if domain_id is None:
                LOG.error("[collector] domain %r does not exist in Keystone; the entry holds no project.", entry)
        enabled = self.keystone.enabled()
        for entry in self.scope.unknown_projects(enabled):
            LOG.warning("[collector] no enabled project is called %r, nor is that an id; the entry names none.", entry)
        projects = self.scope.select(enabled, domain_ids)
        if not projects:
            LOG.warning("No project is in the scope of collector %s.", self.name)
        return projects

    def _ordered(self, projects: Iterable[model.Project]) -> list[model.Project]:
        ordered = sorted(projects, key=lambda project: project.id, reverse=self.project_order == "descending")
        if self.project_order == "random":
            random.shuffle(ordered)
        return ordered

    def _last_collected(
        self, projects: Sequence[model.Project], now: datetime.datetime
    ) -> Mapping[str, datetime.datetime]:
        """Last collected by project id. New projects' starts are decided and stored, all before any is collected."""
        ids = [project.id for project in projects]
        collected = self.tools.store.last_collected(ids)
        new = [project for project in projects if project.id not in collected]
        self.tools.store.refresh([project for project in projects if project.id in collected])
        if not new:
            return collected
        self.tools.store.register((project, self.plan.start(project, collected.values(), now)) for project in new)
        return self.tools.store.last_collected(ids)

    def _due(
        self, last_collected: datetime.datetime, now: datetime.datetime, end: datetime.datetime | None
    ) -> list[model.Window]:
        if end is None:
            return list(self.plan.due(last_collected, now))
        return list(self.plan.windows(last_collected, min(end, self.plan.latest_end(now))))

    def _behind(self, projects: Sequence[model.Project], end: datetime.datetime) -> list[str]:
        """Those that do not stand at the last full hour up to the end."""
        collected = self.tools.store.last_collected([project.id for project in projects])
        behind = {
            each.id: stands for each in projects if (stands := collected.get(each.id)) is None or stands < floor(end)
        }
        for project_id, stands in behind.items():
            LOG.error("Project %s could not be brought up to %s; it stands at %s.", project_id, end, stands)
        return list(behind)


def _say(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    LOG.warning("Attempt %d to find out what is due failed: %s", state.attempt_number, error)
