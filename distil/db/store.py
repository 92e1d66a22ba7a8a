# SPDX-License-Identifier: Apache-2.0
"""The store: one transaction in, one out."""

import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import tenacity
from oslo_db import exception as db_exception

from distil import exceptions
from distil import model
from distil.db import chunks
from distil.db import errors
from distil.db import projects
from distil.db import writes
from distil.db.clock import utc_now
from distil.db.models import tenants

Info = dict[str, Any]
NOTHING: Mapping[str, Info] = {}

_RACES = (db_exception.DBDuplicateEntry, db_exception.DBDeadlock)


class Store:
    """Keeps projects, resources, usage entries and rejected samples. Threads may share it.

    Every method raises StoreError where the database does not do what it is asked; asking again is safe.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def now(self) -> datetime.datetime:
        """The time by the database's clock."""
        with errors.translated("reading the time"), self._engine.connect() as connection:
            return connection.execute(sa.select(utc_now())).scalar_one()

    def last_collected(self, project_ids: Collection[str]) -> dict[str, datetime.datetime]:
        """Last collected of those projects that have one."""
        found: dict[str, datetime.datetime] = {}
        with errors.translated("reading last collected"), self._engine.connect() as connection:
            for ids in chunks.of(sorted(set(project_ids))):
                query = sa.select(tenants.c.id, tenants.c.last_collected).where(
                    tenants.c.id.in_(ids), tenants.c.last_collected.is_not(None)
                )
                rows = connection.execute(query)
                found.update((row.id, row.last_collected) for row in rows if row.last_collected is not None)
        return found

    def register(self, starts: Iterable[tuple[model.Project, datetime.datetime]]) -> None:
        """Store new projects, each with its start as last collected: all of them, or none.

        One that has a last collected already keeps it, also where another collector registers it at this moment.
        """
        wanted = {project.id: (project, start) for project, start in starts}
        retry = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_RACES),
            stop=tenacity.stop_after_attempt(5),
            wait=tenacity.wait_random(0, 0.2),
            reraise=True,
        )
        with errors.translated("registering projects"):
            retry(projects.register, self._engine, wanted)

    def refresh(self, current: Iterable[model.Project]) -> None:
        """Store the names and descriptions that have changed in Keystone. Unknown projects stay unknown."""
        with errors.translated("refreshing projects"):
            projects.refresh(self._engine, {project.id: project for project in current})

    def resource_info(self, project_id: str, resource_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Info of those of the project's resources that are stored."""
        with errors.translated(f"reading resources of project {project_id}"), self._engine.connect() as connection:
            return writes.stored_info(connection, project_id, resource_ids)

    def commit(
        self,
        project_id: str,
        window: model.Window,
        usage: Sequence[model.Usage],
        resources: Sequence[model.Resource],
        rejected: Sequence[model.RejectedSample],
        known: Mapping[str, Info] = NOTHING,
    ) -> dict[str, Info]:
        """Store everything of one project's window and move its last collected on, all at once or not at all.

        :param known: info of resources as it is stored, by id. Those that are not in it are looked for.
        :returns: info of these resources as it is stored now.
        :raises WindowTaken: the project's last collected is not the window's start; nothing was stored.
        """
        with errors.translated(f"storing window {window} of project {project_id}"):
            with self._engine.connect() as connection:
                transaction = connection.begin()
                _advance(connection, project_id, window)
                now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
                stored = writes.merge_resources(connection, project_id, resources, known, now)
                writes.insert_usage(connection, project_id, window, usage, now)
                writes.insert_rejected(connection, project_id, window, rejected, now)
                lost = _commit(transaction)
            if lost is not None:
                self._settle(project_id, window, lost)
        return stored

    def _settle(self, project_id: str, window: model.Window, lost: db_exception.DBConnectionError) -> None:
        """Find out what became of a COMMIT whose answer was lost.

        Reading for update waits until the server has ended the transaction, should it still have it.
        """
        query = sa.select(tenants.c.last_collected).where(tenants.c.id == project_id).with_for_update()
        with self._engine.begin() as connection:
            last_collected = connection.scalar(query)
        if last_collected is None or last_collected < window.end:
            raise lost


def _commit(transaction: sa.RootTransaction) -> db_exception.DBConnectionError | None:
    """COMMIT. What comes back is the loss of the connection meanwhile: it may have been done or not."""
    try:
        transaction.commit()
    except db_exception.DBConnectionError as error:
        return error
    return None


def _advance(connection: sa.Connection, project_id: str, window: model.Window) -> None:
    """The compare-and-set that lets one committer of a window through."""
    statement = (
        sa.update(tenants)
        .where(tenants.c.id == project_id, tenants.c.last_collected == window.start)
        .values(last_collected=window.end)
    )
    if connection.execute(statement).rowcount != 1:
        raise exceptions.WindowTaken(f"window {window} of project {project_id} has been committed already")
