# SPDX-License-Identifier: Apache-2.0
"""Everybody's leases, for the operator."""

import datetime
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import errors
from distil.db.leases import expired
from distil.db.models import project_locks
from distil.db.models import tenants


class Lease(NamedTuple):
    """:param project: name; None where the project is not stored.
    :param expires: None for a lease of the predecessor's.
    """

    project_id: str
    project: str | None
    owner: str
    created: datetime.datetime
    expires: datetime.datetime | None
    expired: bool


def leases(engine: sa.Engine) -> Iterator[Lease]:
    """All of them, by project id.

    :raises StoreError: the database failed.
    """
    locks = project_locks.c
    query = (
        sa.select(locks.project_id, tenants.c.name, locks.owner, locks.created, locks.expires, expired())
        .join_from(project_locks, tenants, tenants.c.id == locks.project_id, isouter=True)
        .order_by(locks.project_id)
    )
    with errors.translate_errors("reading leases"), engine.connect() as connection:
        for row in connection.execute(query):
            project_id, project, owner, created, expires, has_expired = row
            yield Lease(project_id, project, owner, created, expires, bool(has_expired))


def release(engine: sa.Engine, lease: Lease, force: bool = False) -> bool:
    """Take a lease from its owner.

    False: it is another's by now, or gone; or it has not expired, and there is no force.

    :raises StoreError: the database failed.
    """
    locks = project_locks.c
    statement = sa.delete(project_locks).where(locks.project_id == lease.project_id, locks.owner == lease.owner)
    if not force:
        statement = statement.where(expired())
    with errors.translate_errors(f"releasing the lease of project {lease.project_id}"), engine.begin() as connection:
        return connection.execute(statement).rowcount == 1
