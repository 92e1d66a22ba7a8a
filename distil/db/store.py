# SPDX-License-Identifier: Apache-2.0
"""The database as collectors use it."""

import datetime
import functools
from collections.abc import Collection
from collections.abc import Iterable

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import collected_by
from distil.db import errors
from distil.db import project_failures
from distil.db import projects
from distil.db import queries
from distil.db import revision
from distil.db import transaction
from distil.db.functions import utc_timestamp
from distil.db.functions import valid_time
from distil.db.models import tenants
from distil.db.project_failures import Failure
from distil.db.project_store import ProjectStore
from distil.db.separation import store_separately


class Store:
    """Projects, their failures and, by :meth:`project`, what is collected of each. Threads may share an instance.

    Every method raises StoreError if the database fails; repeating it is safe.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._retrying = transaction.conflict_retrying()

    def require_head(self) -> None:
        """Checks the database's revision: somebody may change the tables while collectors run.

        :raises SchemaError: the database is not at the newest revision.
        """
        revision.require_head(self._engine)

    def now(self) -> datetime.datetime:
        """The time in UTC by the database's clock."""
        with errors.translate_errors("read the database's time"), self._engine.connect() as connection:
            return connection.execute(sa.select(utc_timestamp())).scalar_one()

    def last_collected(self, project_ids: Collection[str]) -> dict[str, datetime.datetime]:
        """last_collected by project id, of those projects that have one, and one that is a time."""
        found: dict[str, datetime.datetime] = {}
        with errors.translate_errors("read last_collected"), self._engine.connect() as connection:
            for ids in queries.batched(sorted(set(project_ids))):
                query = sa.select(tenants.c.id, valid_time(tenants.c.last_collected))
                rows = connection.execute(query.where(tenants.c.id.in_(ids)))
                found.update((project_id, time) for project_id, time in rows if time is not None)
        return found

    def collected_by_others(
        self, project_ids: Collection[str], mine: model.CollectedBy
    ) -> dict[str, model.CollectedBy]:
        """By project id, by what projects are collected whose telemetry or rules are not ``mine``."""
        with errors.translate_errors("read by what projects are collected"):
            return collected_by.others(self._engine, project_ids, mine)

    def register_projects(
        self, starts: Iterable[tuple[model.Project, datetime.datetime]]
    ) -> dict[str, exceptions.StoreError]:
        """Stores new projects with their start as last_collected.

        A project keeps a last_collected that it has already, even if another collector registers it at the same time.

        :returns: by id, why projects cannot be stored.
        """
        by_id = {project.id: (project, start) for project, start in starts}
        register = functools.partial(self._retrying, projects.register, self._engine)
        return store_separately("register project", register, by_id)

    def update_projects(self, current: Iterable[model.Project]) -> dict[str, exceptions.StoreError]:
        """Stores names, descriptions and domains that have changed in Keystone. Ignores unregistered projects.

        :returns: by id, why projects keep the values that are stored.
        """
        by_id = {project.id: project for project in current}
        with errors.translate_errors("read projects"):
            changed = projects.changed(self._engine, by_id)
        update = functools.partial(self._retrying, projects.update, self._engine)
        return store_separately("update project", update, changed)

    def record_failures(self, failed: Iterable[Failure], now: datetime.datetime) -> None:
        """Stores why the last run could not finish projects, in one transaction."""
        with errors.translate_errors("store failures"):
            self._retrying(project_failures.record, self._engine, list(failed), now)

    def failed_projects(self) -> set[str]:
        """The ids of the projects that the last run that included them could not finish."""
        with errors.translate_errors("read failures"):
            return project_failures.failed_ids(self._engine)

    def clear_failures(self, project_ids: Collection[str]) -> None:
        """Deletes the failures of projects that the last run finished."""
        with errors.translate_errors("delete failures"):
            self._retrying(project_failures.clear, self._engine, project_ids)

    def project(self, project_id: str, collector: model.CollectedBy | None = None) -> ProjectStore:
        """The store of one project.

        :param collector: by what it is collected; None: unknown.
        """
        return ProjectStore(self._engine, project_id, collector)
