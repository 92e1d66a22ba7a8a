# SPDX-License-Identifier: Apache-2.0
"""Loads the projects in a collector's scope, each with its last collected time."""

import datetime
import random
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.collector.departures import DepartedProjects
from distil.collector.departures import Departures
from distil.collector.listing import Listing
from distil.collector.listing import ScopeListing
from distil.collector.listing import as_project
from distil.collector.origin import OriginCheck
from distil.collector.plan import Plan
from distil.collector.scope import Scope
from distil.collector.scope import UnmatchedEntry
from distil.collector.state_recorder import StateRecorder
from distil.db.store import Store
from distil.db.tracked_projects import TrackedProject
from distil.db.tracked_projects import TrackedProjects

LOG = log.getLogger(__name__)

# A clock that is ahead by less is told anyway.
_MAX_AHEAD = datetime.timedelta(hours=1)


class CollectedProjects(NamedTuple):
    """The projects that a run collects, in the order in which it does: those in scope and the departing ones.

    :param last_collected: by project id; projects without one that can be used are absent.
    :param failures: by project id, why a project cannot be collected.
    :param enabled: number of projects that Keystone lists, in scope or not.
    :param until: by id of each departing project, up to when it is collected.
    :param missing: number of projects that are not collected because Keystone's list, or an entry of the scope, may be
        wrong.
    :param unmatched: the entries of the scope that match nothing.
    """

    projects: Sequence[model.Project]
    last_collected: Mapping[str, datetime.datetime]
    failures: Mapping[str, exceptions.StoreError]
    enabled: int
    until: Mapping[str, datetime.datetime]
    missing: int
    unmatched: Sequence[UnmatchedEntry]

    @property
    def in_scope(self) -> int:
        """Number of the projects that Keystone lists."""
        return len(self.projects) - len(self.until)


class ScopedProjects:
    """Asks Keystone for the projects, and the database for their last collected times.

    :param collector: its name.
    :param order: ``ascending`` or ``descending`` by project id, or ``random``.
    """

    def __init__(
        self,
        collector: str,
        keystone: KeystoneProjects,
        scope: Scope,
        plan: Plan,
        store: Store,
        tracked: TrackedProjects,
        order: str,
        origins: OriginCheck,
        states: StateRecorder,
    ) -> None:
        self._collector = collector
        self._scope_listing = ScopeListing(collector, keystone, scope)
        self._plan = plan
        self._store = store
        self._tracked = tracked
        self._departed = DepartedProjects(collector, plan, tracked)
        self._order = order
        self._origins = origins
        self._states = states

    def load(self, now: datetime.datetime) -> CollectedProjects:
        """Load the projects in scope, register the new ones, and find those that have departed.

        :raises IdentityError: Keystone gave no usable response.
        :raises StoreError: the database failed.
        :raises TelemetryError: there is no catalog to look the region up in.
        """
        tracked = self._tracked.load()
        listing = self._scope_listing.load(tracked)
        current, unregistered = self._last_collected(listing.in_scope, now)
        departures = self._track(listing, tracked, now)
        self._states.record(listing, [as_project(project) for project in departures.departed], now)
        departing = {project.id: project for project in departures.departing}
        stored = {project.id: project.last_collected for project in departing.values() if project.last_collected}
        last_collected = {**current, **stored}
        projects = self._sorted([*listing.in_scope, *map(as_project, departing.values())])
        elsewhere = self._origins.problems(projects, last_collected)
        failures = {**_failures(projects, last_collected, now), **unregistered}
        _log_failures(projects, failures)
        usable = {project_id: time for project_id, time in last_collected.items() if project_id not in elsewhere}
        until = {project.id: project.collect_until for project in departing.values() if project.collect_until}
        missing = departures.missing + listing.doubtful
        return CollectedProjects(
            projects, usable, elsewhere | failures, listing.enabled, until, missing, listing.unmatched
        )

    def _track(self, listing: Listing, tracked: Mapping[str, TrackedProject], now: datetime.datetime) -> Departures:
        """Store which projects are in scope now, and find those that have departed since the last run."""
        known = [tracked[project.id] for project in listing.in_scope if project.id in tracked]
        current = {project.id for project in known if project.departed is None}
        self._tracked.track({project.id for project in listing.in_scope} - current, self._collector)
        self._tracked.release(listing.released)
        return self._departed.find(listing.absent, len(known), now)

    def _sorted(self, projects: Iterable[model.Project]) -> list[model.Project]:
        ordered = sorted(projects, key=lambda project: project.id, reverse=self._order == "descending")
        if self._order == "random":
            random.shuffle(ordered)
        return ordered

    def _last_collected(
        self, projects: Sequence[model.Project], now: datetime.datetime
    ) -> tuple[Mapping[str, datetime.datetime], Mapping[str, exceptions.StoreError]]:
        """Last collected by project id, and why projects cannot be registered.

        The starts of all new projects are stored before any is collected.
        """
        ids = [project.id for project in projects]
        stored = self._store.last_collected(ids)
        new = [project for project in projects if project.id not in stored]
        known = [project for project in projects if project.id in stored]
        for project_id, error in self._store.update_projects(known).items():
            LOG.warning("Project %s keeps its old name in the database, and is collected: %s", project_id, error)
        if not new:
            return stored, {}
        # A project that is stuck must not hold new ones back.
        failed = self._store.failed_projects()
        others = [time for project_id, time in stored.items() if project_id not in failed] or stored.values()
        starts = [(project, self._plan.start(project, others, now)) for project in new]
        unregistered = self._store.register_projects(starts)
        return self._store.last_collected(ids), unregistered


def _failures(
    projects: Iterable[model.Project], last_collected: Mapping[str, datetime.datetime], now: datetime.datetime
) -> dict[str, exceptions.StoreError]:
    """By project id, why a project cannot be collected."""
    problems = {project.id: _problem(last_collected.get(project.id), now) for project in projects}
    return {project_id: problem for project_id, problem in problems.items() if problem}


def _log_failures(projects: Iterable[model.Project], failures: Mapping[str, exceptions.StoreError]) -> None:
    for project in projects:
        if project.id in failures:
            LOG.error("Project %s (%s) is not collected: %s", project.id, project.name, failures[project.id])


def _problem(last_collected: datetime.datetime | None, now: datetime.datetime) -> exceptions.StoreError | None:
    """Why a project with this last collected would never be collected; None if it will."""
    if last_collected is None:
        problem = "its last_collected in the database is not a valid time; set it with distil-manage project start"
        return exceptions.StoreError(problem)
    if last_collected - now > _MAX_AHEAD:
        problem = f"its last_collected, {last_collected}, is in the future; set it with distil-manage project start"
        return exceptions.StoreError(problem)
    return None
