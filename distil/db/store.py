# SPDX-License-Identifier: Apache-2.0
"""The store: one transaction in, one out."""

import datetime
from collections.abc import Collection
from collections.abc import Iterable

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db import failures
from distil.db import projects
from distil.db import queries
from distil.db import transaction
from distil.db.failures import Failure
from distil.db.functions import utc_timestamp
from distil.db.models import tenants
from distil.db.project_store import ProjectStore


class Store:
    """Keeps projects, resources, usage entries, rejected samples and failures. Threads may share it.

    Every method raises StoreError where the database does not do what it is asked; asking again is safe.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._retrying = transaction.conflict_retrying()

    def now(self) -> datetime.datetime:
        """The time by the database's clock."""
        with errors.translate_errors("reading the time"), self._engine.connect() as connection:
            return connection.execute(sa.select(utc_timestamp())).scalar_one()

    def last_collected(self, project_ids: Collection[str]) -> dict[str, datetime.datetime]:
        """Last collected of those projects that have one."""
        found: dict[str, datetime.datetime] = {}
        with errors.translate_errors("reading last collected"), self._engine.connect() as connection:
            for ids in queries.batched(sorted(set(project_ids))):
                query = sa.select(tenants.c.id, tenants.c.last_collected).where(
                    tenants.c.id.in_(ids), tenants.c.last_collected.is_not(None)
                )
                rows = connection.execute(query)
                found.update((row.id, row.last_collected) for row in rows if row.last_collected is not None)
        return found

    def register_projects(self, starts: Iterable[tuple[model.Project, datetime.datetime]]) -> None:
        """Store new projects, each with its start as last collected: all of them, or none.

        One that has a last collected already keeps it, also where another collector registers it at this moment.
        """
        wanted = {project.id: (project, start) for project, start in starts}
        with errors.translate_errors("registering projects"):
            self._retrying(projects.register, self._engine, wanted)

    def update_projects(self, current: Iterable[model.Project]) -> None:
        """Store the names and descriptions that have changed in Keystone. Unknown projects stay unknown."""
        with errors.translate_errors("refreshing projects"):
            projects.update(self._engine, {project.id: project for project in current})

    def record_failures(self, failed: Iterable[Failure], now: datetime.datetime) -> None:
        """Store why projects wait, all of them or none. One that has waited already keeps since when."""
        with errors.translate_errors("storing failures"):
            self._retrying(failures.record, self._engine, list(failed), now)

    def clear_failures(self, project_ids: Collection[str]) -> None:
        """Delete the failures of projects that wait no more."""
        with errors.translate_errors("deleting failures"):
            self._retrying(failures.clear, self._engine, project_ids)

    def project(self, project_id: str) -> ProjectStore:
        """What is stored of one project, for whoever holds it."""
        return ProjectStore(self._engine, project_id)
