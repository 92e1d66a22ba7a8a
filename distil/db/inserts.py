# SPDX-License-Identifier: Apache-2.0
"""Inserts what one window of one project adds, in the caller's transaction."""

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
from distil.db.models import resources as resource_table
from distil.db.models import usage_entry

_Info = dict[str, Any]

# Compiling the statement takes as long as the server takes to execute it, so it is made once.
_INSERT_USAGE = sa.insert(usage_entry)


def load_resource_info(connection: sa.Connection, project_id: str, resource_ids: Collection[str]) -> dict[str, _Info]:
    """Info of stored resources by resource id."""
    found: dict[str, _Info] = {}
    table = resource_table
    for ids in queries.batched(sorted(set(resource_ids))):
        query = sa.select(table.c.id, table.c.info).where(table.c.tenant_id == project_id, table.c.id.in_(ids))
        found.update((row.id, json_columns.load_info(row.info)) for row in connection.execute(query))
    return found


def merge_resources(
    connection: sa.Connection,
    project_id: str,
    resources: Iterable[model.Resource],
    known: Mapping[str, _Info],
    now: datetime.datetime,
) -> dict[str, _Info]:
    """Inserts new resources, and updates those whose info has changed: new keys win, old keys stay.

    :param known: info as it was read before. Info of other resources, and of those whose info has changed since, is
        read again: reprocessing of rejected samples may have added keys.
    :returns: info of the resources as it is stored now.
    """
    current: dict[str, _Info] = {}
    for resource in resources:
        current.setdefault(resource.id, {}).update(resource.info)
    unchanged = {
        resource_id: known[resource_id]
        for resource_id, info in current.items()
        if resource_id in known and _merged_document(known[resource_id], info) is None
    }
    rest = {resource_id: info for resource_id, info in current.items() if resource_id not in unchanged}
    stored = load_resource_info(connection, project_id, rest) if rest else {}
    new, changed = [], []
    for resource_id, info in rest.items():
        before = stored.get(resource_id)
        document = _merged_document(before, info)
        if document is None:
            continue
        stored[resource_id] = json_columns.load_info(document)
        if before is None:
            new.append({"id": resource_id, "tenant_id": project_id, "info": document, "created": now})
        else:
            changed.append({"resource": resource_id, "new_info": document})
    if new:
        connection.execute(sa.insert(resource_table), new)
    if changed:
        connection.execute(_update_info(project_id), changed)
    return unchanged | stored


def add_resource_info(
    connection: sa.Connection, project_id: str, resources: Sequence[model.Resource], now: datetime.datetime
) -> None:
    """Inserts new resources, and adds missing keys to the info of others: what is stored is newer and stays."""
    stored = load_resource_info(connection, project_id, [resource.id for resource in resources])
    merged = [model.Resource(resource.id, {**resource.info, **stored.get(resource.id, {})}) for resource in resources]
    merge_resources(connection, project_id, merged, stored, now)


def _update_info(project_id: str) -> sa.Update:
    statement = sa.update(resource_table).where(
        resource_table.c.id == sa.bindparam("resource"), resource_table.c.tenant_id == project_id
    )
    return statement.values(info=sa.bindparam("new_info"))


def _merged_document(stored: _Info | None, current: _Info) -> str | None:
    """The info to store, or None if what is stored is the same."""
    if stored is None:
        return json_columns.dump_info(json_columns.to_json_value(current))
    # The usual case, without any JSON.
    if {**stored, **current} == stored:
        return None
    document = json_columns.dump_info({**stored, **json_columns.to_json_value(current)})
    return None if json_columns.load_info(document) == stored else document


def insert_usage(
    connection: sa.Connection,
    project_id: str,
    window: model.Window,
    usage: Sequence[model.Usage],
    now: datetime.datetime,
) -> None:
    """Inserts one row for each entry, including those of volume 0."""
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
    """Inserts one row for each sample, escaped and truncated so that no sample can make the window fail."""
    rows = [
        {
            "tenant_id": project_id,
            "meter": text.fit_column(sample.meter, models.MAX_METER),
            "resource_id": sample.resource_id and text.fit_column(sample.resource_id, model.MAX_RESOURCE_ID),
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
