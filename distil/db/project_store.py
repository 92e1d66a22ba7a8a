# SPDX-License-Identifier: Apache-2.0
"""Stores what is collected of one project."""

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
from distil.db import receipts
from distil.db import transaction
from distil.db import types
from distil.db.models import tenants
from distil.db.receipts import NewReceipt

# Building the statements takes as long as the server takes to execute them, so they are built once.
_ADVANCE_LAST_COLLECTED = (
    sa.update(tenants)
    .where(tenants.c.id == sa.bindparam("project"), tenants.c.last_collected == sa.bindparam("start"))
    .values(
        last_collected=sa.bindparam("end"),
        # Of a project that has not departed it is NULL, and stays so.
        collect_until=sa.case(
            (tenants.c.collect_until < sa.bindparam("until", type_=types.UTCDateTime), sa.bindparam("until")),
            else_=tenants.c.collect_until,
        ),
    )
)
_ADVANCE_OWN = _ADVANCE_LAST_COLLECTED.where(
    sa.or_(tenants.c.telemetry.is_(None), tenants.c.telemetry == sa.bindparam("own_telemetry"))
).values(
    telemetry=sa.bindparam("own_telemetry"), collector=sa.bindparam("own_collector"), rules=sa.bindparam("own_rules")
)


class ProjectStore:
    """Resources, usage and rejected samples of one project.

    Caches resource info. A resource is read again before its info changes, because reprocessing of rejected samples may
    have added keys. If another collector has changed it, the next commit fails: that collector has committed the
    window.

    Every method raises StoreError if the database fails; repeating it is safe.
    """

    def __init__(self, engine: sa.Engine, project_id: str, collector: model.CollectedBy | None = None) -> None:
        self._engine = engine
        self._collector = collector
        self._project_id = project_id
        self._cached_info: dict[str, dict[str, Any]] = {}

    def resource_info(self, resource_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Info of stored resources by resource id."""
        cached = self._cached_info
        unread = [resource_id for resource_id in resource_ids if resource_id not in cached]
        if unread:
            with self._translate_errors("read resources"), self._engine.connect() as connection:
                cached |= inserts.load_resource_info(connection, self._project_id, unread)
        return {resource_id: cached[resource_id] for resource_id in resource_ids if resource_id in cached}

    def commit(
        self,
        window: model.Window,
        usage: Sequence[model.Usage],
        resources: Sequence[model.Resource],
        rejected: Sequence[model.RejectedSample],
        collect_until: datetime.datetime | None = None,
        receipt: NewReceipt | None = None,
    ) -> None:
        """Stores a window and advances last_collected to its end, in one transaction.

        :param collect_until: until when to collect the project at least, if it has departed; None changes nothing.
        :param receipt: of the window; None leaves it unrecorded.
        :raises WindowAlreadyCommitted: last_collected is not the window's start, or that of another telemetry service.
            Nothing was stored.
        """
        known, self._cached_info = self._cached_info, {}  # empty until the commit is certain
        with self._translate_errors(f"store window {window}"), self._verified_commit(window) as connection:
            _advance_last_collected(connection, self._project_id, window, self._collector, collect_until)
            now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            stored = inserts.merge_resources(connection, self._project_id, resources, known, now)
            inserts.insert_usage(connection, self._project_id, window, usage, now)
            inserts.insert_rejected(connection, self._project_id, window, rejected, now)
            if receipt:
                receipts.insert(connection, self._project_id, window, receipt, self._collector, now)
        self._cached_info = known | stored

    def _verified_commit(self, window: model.Window) -> contextlib.AbstractContextManager[sa.Connection]:
        def committed(connection: sa.Connection) -> bool:
            query = sa.select(tenants.c.last_collected).where(tenants.c.id == self._project_id)
            last_collected = connection.scalar(query.with_for_update())
            return last_collected is not None and last_collected >= window.end

        return transaction.verified_commit(self._engine, committed)

    def _translate_errors(self, action: str) -> contextlib.AbstractContextManager[None]:
        return errors.translate_errors(f"{action} of project {self._project_id}")


def _advance_last_collected(
    connection: sa.Connection,
    project_id: str,
    window: model.Window,
    collector: model.CollectedBy | None,
    collect_until: datetime.datetime | None,
) -> None:
    """The compare-and-set by which exactly one collector commits a window."""
    values = {"project": project_id, "start": window.start, "end": window.end, "until": collect_until}
    statement = _ADVANCE_OWN if collector else _ADVANCE_LAST_COLLECTED
    own = {f"own_{name}": value for name, value in collector._asdict().items()} if collector else {}
    if connection.execute(statement, values | own).rowcount != 1:
        raise exceptions.WindowAlreadyCommitted(f"window {window} of project {project_id} has been committed already")
