# SPDX-License-Identifier: Apache-2.0
"""Stored resources, as operators read them."""

import dataclasses
import datetime
from collections.abc import Collection

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors
from distil.db.models import rejected_samples
from distil.db.models import resources
from distil.db.models import tenants
from distil.db.models import usage_entry


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredResource:
    """A resource, and how much is stored of it.

    :param info: JSON.
    :param services: what it has been billed as, sorted.
    :param first: start of the oldest window with usage.
    :param last: end of the newest window with usage.
    """

    id: str
    project_id: str
    project: str
    domain_id: str | None
    info: str
    created: datetime.datetime | None
    services: tuple[str, ...]
    usage_entries: int
    first: datetime.datetime | None
    last: datetime.datetime | None
    rejected_samples: int


def get(engine: sa.Engine, resource_id: str, project_ids: Collection[str] = ()) -> StoredResource:
    """Reads a resource.

    :param project_ids: where to look for it; all projects if empty. An id is unique within a project only.
    :raises NotFound: there is none, or several projects have one.
    :raises StoreError: the database failed.
    """
    query = (
        sa.select(resources, tenants.c.name, tenants.c.domain_id)
        .join_from(resources, tenants, resources.c.tenant_id == tenants.c.id)
        .where(resources.c.id == resource_id)
        .order_by(resources.c.tenant_id)
    )
    if project_ids:
        query = query.where(resources.c.tenant_id.in_(project_ids))
    with errors.translate_errors(f"read resource {resource_id}"), engine.connect() as connection:
        rows = connection.execute(query).all()
        if not rows:
            raise exceptions.NotFound(f"no resource in the database has the ID {resource_id!r}")
        if len(rows) > 1:
            owners = ", ".join(row.tenant_id for row in rows)
            raise exceptions.NotFound(
                f"several projects have a resource {resource_id!r}; choose by --project: {owners}"
            )
        return _read(connection, rows[0])


def _read(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> StoredResource:
    usage, rejected = usage_entry.c, rejected_samples.c
    by_service = sa.select(usage.service, sa.func.count(), sa.func.min(usage.start), sa.func.max(usage.end))
    by_service = by_service.where(usage.tenant_id == row.tenant_id, usage.resource_id == row.id)
    totals = connection.execute(by_service.group_by(usage.service).order_by(usage.service)).all()
    rejected_count = sa.select(sa.func.count()).where(
        rejected.tenant_id == row.tenant_id, rejected.resource_id == row.id
    )
    return StoredResource(
        id=row.id,
        project_id=row.tenant_id,
        project=row.name,
        domain_id=row.domain_id,
        info=row.info or "{}",
        created=row.created,
        services=tuple(service for service, *_ in totals),
        usage_entries=sum(count for _, count, *_ in totals),
        first=min((first for *_, first, _ in totals), default=None),
        last=max((last for *_, last in totals), default=None),
        rejected_samples=connection.scalar(rejected_count) or 0,
    )
