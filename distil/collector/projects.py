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
from distil.collector.origin import OriginCheck
from distil.collector.plan import Plan
from distil.collector.scope import Scope
from distil.db.store import Store

LOG = log.getLogger(__name__)

# A clock that is ahead by less is told anyway.
_MAX_AHEAD = datetime.timedelta(hours=1)


class CollectedProjects(NamedTuple):
    """The projects in scope, in the order in which they are collected.

    :param last_collected: by project id; projects without one that can be used are absent.
    :param failures: by project id, why a project cannot be collected.
    :param enabled: number of projects that Keystone lists, in scope or not.
    """

    projects: Sequence[model.Project]
    last_collected: Mapping[str, datetime.datetime]
    failures: Mapping[str, exceptions.StoreError]
    enabled: int


class ScopedProjects:
    """Asks Keystone for the projects, and the store for their last collected times.

    :param order: ``ascending`` or ``descending`` by project id, or ``random``.
    """

    def __init__(
        self,
        keystone: KeystoneProjects,
        scope: Scope,
        plan: Plan,
        store: Store,
        order: str,
        origins: OriginCheck,
    ) -> None:
        self._keystone = keystone
        self._scope = scope
        self._plan = plan
        self._store = store
        self._order = order
        self._origins = origins

    def load(self, now: datetime.datetime) -> CollectedProjects:
        """Load the projects in scope and register the new ones.

        :raises IdentityError: Keystone gave no usable response.
        :raises StoreError: the database failed.
        :raises TelemetryError: there is no catalog to look the region up in.
        """
        enabled, in_scope = self._ask_keystone()
        projects = self._sorted(in_scope)
        last_collected, unregistered = self._last_collected(projects, now)
        failures = self._origins.problems(projects, last_collected)
        usable = {project_id: time for project_id, time in last_collected.items() if project_id not in failures}
        for project in projects:
            problem = unregistered.get(project.id) or _problem(last_collected.get(project.id), now)
            if problem:
                LOG.error("Project %s (%s) is not collected: %s", project.id, project.name, problem)
                failures[project.id] = problem
        return CollectedProjects(projects, usable, failures, enabled)

    def _ask_keystone(self) -> tuple[int, list[model.Project]]:
        """The number of enabled projects, and those in scope."""
        domain_ids = self._keystone.domain_ids(self._scope.domains)
        enabled = self._keystone.enabled()
        for problem in self._scope.unknown_domains(domain_ids):
            LOG.error("[collector] %s", problem)
        for problem in self._scope.unknown_projects(enabled):
            LOG.warning("[collector] %s", problem)
        return len(enabled), self._scope.select(enabled, domain_ids)

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


def _problem(last_collected: datetime.datetime | None, now: datetime.datetime) -> exceptions.StoreError | None:
    """Why a project with this last collected would never be collected; None if it will."""
    if last_collected is None:
        problem = "its last_collected in the table tenants is not a valid time; correct it there"
        return exceptions.StoreError(problem)
    if last_collected - now > _MAX_AHEAD:
        problem = f"its last_collected in the table tenants, {last_collected}, is in the future; correct it there"
        return exceptions.StoreError(problem)
    return None
