# SPDX-License-Identifier: Apache-2.0
"""The projects in a collector's scope, and how far each has been collected."""

import dataclasses
import datetime
import random
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_log import log

from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.collector.plan import Plan
from distil.collector.scope import Scope
from distil.db.store import Store

LOG = log.getLogger(__name__)

LastCollected = Mapping[str, datetime.datetime]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScopedProjects:
    """Asks Keystone and the store.

    :param collector: what log lines call the collector.
    :param order: of the projects: ascending or descending by id, or random.
    """

    collector: str
    keystone: KeystoneProjects
    scope: Scope
    plan: Plan
    store: Store
    order: str

    def load(self, now: datetime.datetime) -> tuple[list[model.Project], LastCollected]:
        """The projects in scope in their order, and last collected of those of whom it is known.

        :raises IdentityError: Keystone gave no usable answer.
        :raises StoreError: the database did not do what it was asked.
        """
        projects = self._ordered(self._in_scope())
        collected = self._last_collected(projects, now)
        for project in projects:
            if project.id not in collected:
                LOG.error("Project %s (%s): its last collected cannot be read or stored.", project.id, project.name)
        return projects, collected

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
            LOG.warning("No project is in the scope of collector %s.", self.collector)
        return projects

    def _ordered(self, projects: Iterable[model.Project]) -> list[model.Project]:
        ordered = sorted(projects, key=lambda project: project.id, reverse=self.order == "descending")
        if self.order == "random":
            random.shuffle(ordered)
        return ordered

    def _last_collected(self, projects: Sequence[model.Project], now: datetime.datetime) -> LastCollected:
        """Last collected by project id. New projects' starts are decided and stored, all before any is collected."""
        ids = [project.id for project in projects]
        collected = self.store.last_collected(ids)
        new = [project for project in projects if project.id not in collected]
        self.store.update_projects([project for project in projects if project.id in collected])
        if not new:
            return collected
        self.store.register_projects((project, self.plan.start(project, collected.values(), now)) for project in new)
        return self.store.last_collected(ids)
