# SPDX-License-Identifier: Apache-2.0
"""What one window of one project adds, inside the caller's transaction."""

import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from distil import model
from distil.db import chunks
from distil.db import documents
from distil.db import models
from distil.db.models import rejected_samples
from distil.db.models import resources as stored_resources
from distil.db.models import usage_entry

Info = dict[str, Any]


def stored_info(connection: sa.Connection, project_id: str, resource_ids: Collection[str]) -> dict[str, Info]:
    """Info by resource id; what is not stored is absent."""
    found: dict[str, Info] = {}
    table = stored_resources
    for ids in chunks.of(sorted(set(resource_ids))):
        query = sa.select(table.c.id, table.c.info).where(table.c.tenant_id == project_id, table.c.id.in_(ids))
        found.update((row.id, documents.load_info(row.info)) for row in connection.execute(query))
    return found


def merge_resources(
    connection: sa.Connection, project_id: str, resources: Iterable[model.Resource], now: datetime.datetime
) -> None:
    """Store new resources, and those that now have other info: new keys win, old keys stay."""
    told: dict[str, Info] = {}
    for resource in resources:
        told.setdefault(resource.id, {}).update(documents.plain(resource.info))
    stored = stored_info(connection, project_id, told)
    new = [
        {"id": resource_id, "tenant_id": project_id, "info": documents.dump_info(info), "created": now}
        for resource_id, info in told.items()
        if resource_id not in stored
    ]
    changed = [
        {"resource": resource_id, "new_info": text}
        for resource_id, info in stored.items()
        if (text := _changed_info(info, told[resource_id])) is not None
    ]
    if new:
        connection.execute(sa.insert(stored_resources), new)
    if changed:
        statement = sa.update(stored_resources).where(
            stored_resources.c.id == sa.bindparam("resource"), stored_resources.c.tenant_id == project_id
        )
        connection.execute(statement.values(info=sa.bindparam("new_info")), changed)


def _changed_info(stored: Info, told: Info) -> str | None:
    """The merged info's text; None where what is stored says the same."""
    merged = {**stored, **told}
    if merged == stored:
        return None
    text = documents.dump_info(merged)
    return None if documents.load_info(text) == stored else text


def insert_usage(
    connection: sa.Connection,
    project_id: str,
    window: model.Window,
    usage: Sequence[model.Usage],
    now: datetime.datetime,
) -> None:
    """One row an entry; of 0, too."""
    rows = [
        {
            "service": entry.service,
            "unit": entry.unit,
            "volume": entry.volume,
            "tenant_id": project_id,
            "resource_id": entry.resource_id,
            "start": window.start,
            "end": window.end,
            "created": now,
        }
        for entry in usage
    ]
    if rows:
        connection.execute(sa.insert(usage_entry), rows)


def insert_rejected(
    connection: sa.Connection,
    project_id: str,
    window: model.Window,
    rejected: Sequence[model.RejectedSample],
    now: datetime.datetime,
) -> None:
    """One row a sample. It is evidence: nothing in it, however long or odd, may stop the window."""
    rows = [
        {
            "tenant_id": project_id,
            "meter": documents.bounded(sample.meter, models.MAX_METER),
            "resource_id": _bounded_id(sample.resource_id),
            "start": window.start,
            "end": window.end,
            "reason": documents.bounded(sample.reason, documents.MAX_REASON),
            "sample": documents.dump_sample(sample.document),
            "created": now,
        }
        for sample in rejected
    ]
    if rows:
        connection.execute(sa.insert(rejected_samples), rows)


def _bounded_id(resource_id: str | None) -> str | None:
    return None if resource_id is None else documents.bounded(resource_id, model.MAX_RESOURCE_ID)
