# SPDX-License-Identifier: Apache-2.0
"""Rejected samples as they are kept, and the transaction that bills some after all."""

import dataclasses
import datetime
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import inserts
from distil.db import queries
from distil.db import transaction
from distil.db.models import rejected_samples
from distil.db.models import tenants
from distil.db.models import usage_entry

# Changes nothing, and waits for whoever stores something of the project. A transaction that begins with it sees what
# they have stored.
_LOCK = (
    sa.update(tenants)
    .where(tenants.c.id == sa.bindparam("project"), tenants.c.last_collected >= sa.bindparam("end"))
    .values(last_collected=tenants.c.last_collected)
)


@dataclasses.dataclass(frozen=True, slots=True)
class StoredRejectedSample:
    """A rejected sample as it is kept.

    :param sample: JSON, unless it was cut.
    """

    id: int
    project_id: str
    meter: str
    resource_id: str | None
    window: model.Window
    reason: str
    sample: str
    created: datetime.datetime


@dataclasses.dataclass(frozen=True)
class RejectedSampleFilter:
    """Which rejected samples: those of all of these, where something is given, whose window begins in [start, end)."""

    ids: Collection[int] = ()
    projects: Collection[str] = ()
    meters: Collection[str] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def conditions(self, columns: Any = rejected_samples.c) -> Iterator[sa.ColumnElement[bool]]:
        among = ((columns.id, self.ids), (columns.tenant_id, self.projects), (columns.meter, self.meters))
        return queries.filter_conditions(among, columns.start, self.start, self.end)


def get(engine: sa.Engine, sample_id: int) -> StoredRejectedSample:
    """:raises NotFound: no such sample is kept."""
    query = sa.select(rejected_samples).where(rejected_samples.c.id == sample_id)
    with errors.translate_errors("reading a rejected sample"), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise _missing([sample_id])
    return _kept(row)


def iterate(engine: sa.Engine, chosen: RejectedSampleFilter, limit: int | None = None) -> Iterator[sa.Row[Any]]:
    """The rows of these samples, but for the samples themselves, in the order in which they were rejected.

    :raises StoreError: the database failed.
    """
    shown = [column for column in rejected_samples.c if column is not rejected_samples.c.sample]
    query = sa.select(*shown).where(*chosen.conditions()).order_by(rejected_samples.c.id).limit(limit)
    yield from queries.stream(engine, query, "reading rejected samples")


def require(engine: sa.Engine, ids: Collection[int]) -> None:
    """:raises NotFound: some of these samples are not kept."""
    missing = set(ids)
    with errors.translate_errors("reading rejected samples"), engine.connect() as connection:
        for part in queries.batched(sorted(ids)):
            query = sa.select(rejected_samples.c.id).where(rejected_samples.c.id.in_(part))
            missing.difference_update(connection.scalars(query))
    if missing:
        raise _missing(missing)


def windows(engine: sa.Engine, chosen: RejectedSampleFilter) -> list[tuple[str, model.Window]]:
    """Project and window of each of the samples, once, in order."""
    columns = rejected_samples.c
    key = columns.tenant_id, columns.start, columns.end
    query = sa.select(*key).where(*chosen.conditions()).distinct().order_by(*key)
    with errors.translate_errors("reading rejected samples"), engine.connect() as connection:
        return [(row.tenant_id, model.Window(row.start, row.end)) for row in connection.execute(query)]


def with_their_resources(
    engine: sa.Engine, chosen: RejectedSampleFilter, project_id: str, window: model.Window
) -> list[StoredRejectedSample]:
    """The samples of one project and window that are chosen, and all others there of the same resources."""
    other = rejected_samples.alias()
    resource_ids = sa.select(other.c.resource_id).where(*_of(other.c, project_id, window), *chosen.conditions(other.c))
    columns = rejected_samples.c
    query = (
        sa.select(rejected_samples)
        .where(*_of(columns, project_id, window))
        .where(sa.or_(columns.resource_id.in_(resource_ids), sa.and_(sa.true(), *chosen.conditions())))
        .order_by(columns.id)
    )
    with errors.translate_errors(f"reading rejected samples of project {project_id}"), engine.connect() as connection:
        return [_kept(row) for row in connection.execute(query)]


def require_collected(engine: sa.Engine, project_id: str, window: model.Window) -> None:
    """:raises Refused: the window is not collected."""
    query = sa.select(tenants.c.id).where(tenants.c.id == project_id, tenants.c.last_collected >= window.end)
    with errors.translate_errors(f"reading last collected of project {project_id}"), engine.connect() as connection:
        if connection.scalar(query) is None:
            raise _not_collected()


def usage(engine: sa.Engine, project_id: str, window: model.Window) -> list[model.Usage]:
    """What is stored of the project in exactly this window."""
    columns = usage_entry.c
    shown = columns.service, columns.resource_id, columns.unit, columns.volume
    query = sa.select(*shown).where(*_of(columns, project_id, window)).order_by(columns.resource_id, columns.service)
    with errors.translate_errors(f"reading usage of project {project_id}"), engine.connect() as connection:
        return [model.Usage(*row) for row in connection.execute(query)]


def bill(
    engine: sa.Engine,
    project_id: str,
    window: model.Window,
    usage: Sequence[model.Usage],
    resources: Sequence[model.Resource],
    used: Collection[int],
) -> None:
    """Store usage of a window that is collected, and delete the samples that it is of: all at once or not at all.

    What is stored of a resource's info is newer, and stays; only what is not there is added.

    :param usage: at least one entry.
    :param used: ids of the samples that need not be kept.
    :raises Refused: the window is not collected, or somebody else has billed or deleted some of it meanwhile.
    """
    values = {"project": project_id, "end": window.end}

    def committed(connection: sa.Connection) -> bool:
        connection.execute(_LOCK, values)
        key = usage_entry.c.service == usage[0].service, usage_entry.c.resource_id == usage[0].resource_id
        query = sa.select(usage_entry.c.start).where(*_of(usage_entry.c, project_id, window), *key)
        return connection.execute(query).one_or_none() is not None

    action = f"billing rejected samples of project {project_id} in window {window}"
    try:
        with errors.translate_errors(action), transaction.verified_commit(engine, committed) as connection:
            if connection.execute(_LOCK, values).rowcount != 1:
                raise _not_collected()
            _delete(connection, used)
            now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            _add_resources(connection, project_id, resources, now)
            inserts.insert_usage(connection, project_id, window, usage, now)
    except exceptions.StoreError as error:
        if isinstance(error.__cause__, db_exception.DBDuplicateEntry):
            raise exceptions.ReprocessingRefused("somebody else has billed it meanwhile") from error
        raise


def _not_collected() -> exceptions.ReprocessingRefused:
    return exceptions.ReprocessingRefused("the window is not collected, and may be collected yet")


def _missing(ids: Collection[int]) -> exceptions.NotFound:
    return exceptions.NotFound(f"there is no rejected sample {', '.join(map(str, sorted(ids)))}; has it been billed?")


def _delete(connection: sa.Connection, ids: Collection[int]) -> None:
    deleted = 0
    for part in queries.batched(sorted(ids)):
        deleted += connection.execute(sa.delete(rejected_samples).where(rejected_samples.c.id.in_(part))).rowcount
    if deleted != len(ids):
        raise exceptions.ReprocessingRefused("somebody else has billed or deleted it meanwhile")


def _add_resources(
    connection: sa.Connection, project_id: str, resources: Sequence[model.Resource], now: datetime.datetime
) -> None:
    stored = inserts.stored_info(connection, project_id, [resource.id for resource in resources])
    told = [model.Resource(each.id, {**each.info, **stored.get(each.id, {})}) for each in resources]
    inserts.merge_resources(connection, project_id, told, stored, now)


def _of(columns: Any, project_id: str, window: model.Window) -> tuple[sa.ColumnElement[bool], ...]:
    return columns.tenant_id == project_id, columns.start == window.start, columns.end == window.end


def _kept(row: sa.Row[Any]) -> StoredRejectedSample:
    window = model.Window(row.start, row.end)
    return StoredRejectedSample(
        row.id, row.tenant_id, row.meter, row.resource_id, window, row.reason, row.sample, row.created
    )
