# SPDX-License-Identifier: Apache-2.0
"""The lock by which a transaction that changes stored windows of a project waits for all others of the project."""

import datetime

import sqlalchemy as sa

from distil.db.models import tenants

# Changes nothing, but locks the row and waits for other transactions of the project. A transaction that begins with it
# sees what those have stored, at every isolation level: in PostgreSQL's higher ones it fails instead, because the row
# has been written meanwhile, and is repeated.
_LOCK = (
    sa.update(tenants)
    .where(tenants.c.id == sa.bindparam("project"), tenants.c.last_collected >= sa.bindparam("end"))
    .values(last_collected=tenants.c.last_collected)
)


def lock(connection: sa.Connection, project_id: str) -> None:
    """Locks a project's row until the transaction ends. Must be its first statement."""
    statement = sa.update(tenants).where(tenants.c.id == project_id)
    connection.execute(statement.values(last_collected=tenants.c.last_collected))


def lock_collected(connection: sa.Connection, project_id: str, end: datetime.datetime) -> bool:
    """Locks a project's row until the transaction ends. Must be its first statement.

    :param end: of the window that is to be changed.
    :returns: whether the project has been collected to then; if not, nothing is locked.
    """
    return connection.execute(_LOCK, {"project": project_id, "end": end}).rowcount == 1
