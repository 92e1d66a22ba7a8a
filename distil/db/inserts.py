# SPDX-License-Identifier: Apache-2.0
"""What one window of one project adds, inside the caller's transaction."""

import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from distil import model
from distil import text
from distil.db import json_columns
from distil.db import models
from distil.db import queries
from distil.db.models import rejected_samples
from distil.db.models import resources as stored_resources
from distil.db.models import usage_entry

ResourceInfo = dict[str, Any]

_INSERT_USAGE = sa.insert(usage_entry)


def stored_info(connection: sa.Connection, project_id: str, resource_ids: Collection[str]) -> dict[str, ResourceInfo]:
    """Info by resource id; what is not stored is absent."""
    found: dict[str, ResourceInfo] = {}
    table = stored_resources
    for ids in queries.batched(sorted(set(resource_ids))):
        query = sa.select(table.c.id, table.c.info).where(table.c.tenant_id == project_id, table.c.id.in_(ids))
        found.update((row.id, json_columns.load_info(row.info)) for row in connection.execute(query))
    return found


def merge_resources(
    connection: sa.Connection,
    project_id: str,
    resources: Iterable[model.Resource],
    known: Mapping[str, ResourceInfo],
    now: datetime.datetime,
) -> dict[str, ResourceInfo]:
    """Store new resources, and those that now have other info: new keys win, old keys stay.

    :param known: info as it was stored. Of resources that are not in it or have changed since, it is read again: a
        retry of rejected samples may have added some.
    :returns: info of the resources as it is stored now.
    """
    told: dict[str, ResourceInfo] = {}
    for resource in resources:
        told.setdefault(resource.id, {}).update(resource.info)
    same = {
        resource_id: known[resource_id]
        for resource_id, info in told.items()
        if resource_id in known and _merged_text(known[resource_id], info) is None
    }
    rest = {resource_id: info for resource_id, info in told.items() if resource_id not in same}
    stored = stored_info(connection, project_id, rest) if rest else {}
    new, changed = [], []
    for resource_id, info in rest.items():
        before = stored.get(resource_id)
        text = _merged_text(before, info)
        if text is None:
            continue
        stored[resource_id] = json_columns.load_info(text)
        if before is None:
            new.append({"id": resource_id, "tenant_id": project_id, "info": text, "created": now})
        else:
            changed.append({"resource": resource_id, "new_info": text})
    if new:
        connection.execute(sa.insert(stored_resources), new)
    if changed:
        statement = sa.update(stored_resources).where(
            stored_resources.c.id == sa.bindparam("resource"), stored_resources.c.tenant_id == project_id
        )
        connection.execute(statement.values(info=sa.bindparam("new_info")), changed)
    return same | stored


def _merged_text(stored: ResourceInfo | None, told: ResourceInfo) -> str | None:
    """What is to be stored; None where what is stored says the same."""
    if stored is None:
        return json_columns.dump_info(json_columns.to_json_value(told))
    # As most often.
    if {**stored, **told} == stored:
        return None
    text = json_columns.dump_info({**stored, **json_columns.to_json_value(told)})
    return None if json_columns.load_info(text) == stored else text


def insert_usage(
    connection: sa.Connection,
    project_id: str,
    window: model.Window,
    usage: Sequence[model.Usage],
    now: datetime.datetime,
) -> None:
    """One row an entry; of 0, too."""
    common = {"tenant_id": project_id, "start": window.start, "end": window.end, "created": now}
    rows = [
        {
            "service": entry.service,
            "unit": entry.unit,
            "volume": entry.volume,
            "resource_id": entry.resource_id,
            **common,
        }
        for entry in usage
    ]
    if rows:
        connection.execute(_INSERT_USAGE, rows)


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
            "meter": text.fit_column(sample.meter, models.MAX_METER),
            "resource_id": _bounded_id(sample.resource_id),
            "start": window.start,
            "end": window.end,
            "reason": text.fit_column(sample.reason, models.MAX_REASON),
            "sample": json_columns.dump_sample(sample.document),
            "created": now,
        }
        for sample in rejected
    ]
    if rows:
        connection.execute(sa.insert(rejected_samples), rows)


def _bounded_id(resource_id: str | None) -> str | None:
    return None if resource_id is None else text.fit_column(resource_id, model.MAX_RESOURCE_ID)
