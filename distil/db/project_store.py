# SPDX-License-Identifier: Apache-2.0
"""What is stored of one project, while it is being collected."""

import contextlib
import datetime
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import inserts
from distil.db import transaction
from distil.db.models import tenants

# Made once: making a statement takes as long as it takes the server to execute it.
_ADVANCE = (
    sa.update(tenants)
    .where(tenants.c.id == sa.bindparam("project"), tenants.c.last_collected == sa.bindparam("start"))
    .values(last_collected=sa.bindparam("end"))
)


class ProjectStore:
    """One project's resources, usage and rejected samples, for whoever holds the project.

    Each resource is read once, and again when its info is to change: a retry of rejected samples may have added some.
    Nobody else changes it: if anybody else collected the project meanwhile, the next window would not go through.

    Every method raises StoreError where the database does not do what it is asked; asking again is safe.
    """

    def __init__(self, engine: sa.Engine, project_id: str) -> None:
        self._engine = engine
        self._project_id = project_id
        self._known: dict[str, dict[str, Any]] = {}

    def resource_info(self, resource_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Info of those of these resources that are stored."""
        unread = [resource_id for resource_id in resource_ids if resource_id not in self._known]
        if unread:
            with self._translated("reading resources"), self._engine.connect() as connection:
                self._known |= inserts.stored_info(connection, self._project_id, unread)
        return {resource_id: self._known[resource_id] for resource_id in resource_ids if resource_id in self._known}

    def commit(
        self,
        window: model.Window,
        usage: Sequence[model.Usage],
        resources: Sequence[model.Resource],
        rejected: Sequence[model.RejectedSample],
    ) -> None:
        """Store everything of a window and move last collected on, all at once or not at all.

        :raises WindowTaken: last collected is not the window's start; nothing was stored.
        """
        known, self._known = self._known, {}  # nothing, until it is certain that this has been stored
        with self._translated(f"storing window {window}"), self._committing(window) as connection:
            _advance(connection, self._project_id, window)
            now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            stored = inserts.merge_resources(connection, self._project_id, resources, known, now)
            inserts.insert_usage(connection, self._project_id, window, usage, now)
            inserts.insert_rejected(connection, self._project_id, window, rejected, now)
        self._known = known | stored

    def _committing(self, window: model.Window) -> contextlib.AbstractContextManager[sa.Connection]:
        def committed(connection: sa.Connection) -> bool:
            query = sa.select(tenants.c.last_collected).where(tenants.c.id == self._project_id)
            last_collected = connection.scalar(query.with_for_update())
            return last_collected is not None and last_collected >= window.end

        return transaction.verified_commit(self._engine, committed)

    def _translated(self, action: str) -> contextlib.AbstractContextManager[None]:
        return errors.translate_errors(f"{action} of project {self._project_id}")


def _advance(connection: sa.Connection, project_id: str, window: model.Window) -> None:
    """The compare-and-set that lets one committer of a window through."""
    values = {"project": project_id, "start": window.start, "end": window.end}
    if connection.execute(_ADVANCE, values).rowcount != 1:
        raise exceptions.WindowAlreadyCommitted(f"window {window} of project {project_id} has been committed already")
