# SPDX-License-Identifier: Apache-2.0
"""Stored rejected samples."""

import dataclasses
import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import queries
from distil.db.models import rejected_samples
from distil.db.stored_windows import in_window


@dataclasses.dataclass(frozen=True, slots=True)
class StoredRejectedSample:
    """A rejected sample as it is stored.

    :param sample: JSON, unless it was truncated.
    """

    id: int
    project_id: str
    meter: str
    resource_id: str | None
    window: model.Window
    reason: str
    sample: str
    created: datetime.datetime


class ProjectWindow(NamedTuple):
    """One window of one project."""

    project_id: str
    window: model.Window


@dataclasses.dataclass(frozen=True)
class RejectedSampleFilter:
    """Selects rejected samples by id, project, meter, and the period [start, end) in which their window begins.

    An empty field selects all.
    """

    ids: Collection[int] = ()
    projects: Collection[str] = ()
    meters: Collection[str] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def conditions(self, columns: Any = rejected_samples.c) -> Iterator[sa.ColumnElement[bool]]:
        allowed = ((columns.id, self.ids), (columns.tenant_id, self.projects), (columns.meter, self.meters))
        return queries.filter_conditions(allowed, columns.start, self.start, self.end)


def get(engine: sa.Engine, sample_id: int) -> StoredRejectedSample:
    """Reads one rejected sample.

    :raises NotFound: no sample with this id is stored.
    :raises StoreError: the database failed.
    """
    query = sa.select(rejected_samples).where(rejected_samples.c.id == sample_id)
    with errors.translate_errors("read a rejected sample"), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise _not_found([sample_id])
    return _from_row(row)


def iterate(
    engine: sa.Engine,
    sample_filter: RejectedSampleFilter,
    limit: int | None = None,
    order: Iterable[queries.SortKey] = (),
) -> Iterator[sa.Row[Any]]:
    """Iterates over the selected rows in order, and in that of rejection, without the column ``sample``.

    :param limit: maximum number of rows, counted in this order.
    :raises StoreError: the database failed.
    """
    columns = {column.name: column for column in rejected_samples.c if column is not rejected_samples.c.sample}
    query = sa.select(*columns.values()).where(*sample_filter.conditions()).limit(limit)
    query = query.order_by(*queries.order(columns | {"project_id": columns["tenant_id"]}, order), rejected_samples.c.id)
    yield from queries.stream(engine, query, "read rejected samples")


def require_stored(engine: sa.Engine, ids: Collection[int]) -> None:
    """Checks that all of these samples are stored.

    :raises NotFound: some of them are not stored.
    :raises StoreError: the database failed.
    """
    missing = set(ids)
    with errors.translate_errors("read rejected samples"), engine.connect() as connection:
        for batch in queries.batched(sorted(ids)):
            query = sa.select(rejected_samples.c.id).where(rejected_samples.c.id.in_(batch))
            missing.difference_update(connection.scalars(query))
    if missing:
        raise _not_found(missing)


def list_windows(engine: sa.Engine, sample_filter: RejectedSampleFilter) -> list[ProjectWindow]:
    """The distinct windows of the selected samples, ordered by project and start.

    :raises StoreError: the database failed.
    """
    columns = rejected_samples.c
    key = columns.tenant_id, columns.start, columns.end
    query = sa.select(*key).where(*sample_filter.conditions()).distinct().order_by(*key)
    with errors.translate_errors("read rejected samples"), engine.connect() as connection:
        return [ProjectWindow(row.tenant_id, model.Window(row.start, row.end)) for row in connection.execute(query)]


def list_with_same_resources(
    engine: sa.Engine, sample_filter: RejectedSampleFilter, project_id: str, window: model.Window
) -> list[StoredRejectedSample]:
    """The selected samples of a window, and all others of the same resources in that window.

    :raises StoreError: the database failed.
    """
    other = rejected_samples.alias()
    conditions = *in_window(other.c, project_id, window), *sample_filter.conditions(other.c)
    resource_ids = sa.select(other.c.resource_id).where(*conditions)
    columns = rejected_samples.c
    query = (
        sa.select(rejected_samples)
        .where(*in_window(columns, project_id, window))
        .where(sa.or_(columns.resource_id.in_(resource_ids), sa.and_(sa.true(), *sample_filter.conditions())))
        .order_by(columns.id)
    )
    with errors.translate_errors(f"read rejected samples of project {project_id}"), engine.connect() as connection:
        return [_from_row(row) for row in connection.execute(query)]


def require_unbilled(engine: sa.Engine, ids: Collection[int]) -> None:
    """Checks that no sample has been billed or deleted meanwhile.

    :raises ReprocessingRefused: one has been.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors("read rejected samples"), engine.connect() as connection:
        for batch in queries.batched(sorted(ids)):
            stored = sa.select(sa.func.count()).select_from(rejected_samples).where(rejected_samples.c.id.in_(batch))
            if connection.scalar(stored) != len(batch):
                raise exceptions.ReprocessingRefused("another process has billed or deleted it meanwhile")


def _not_found(ids: Collection[int]) -> exceptions.NotFound:
    listed = ", ".join(map(str, sorted(ids)))
    return exceptions.NotFound(f"no rejected sample has ID {listed}; it may have been billed or deleted")


def _from_row(row: sa.Row[Any]) -> StoredRejectedSample:
    window = model.Window(row.start, row.end)
    return StoredRejectedSample(
        row.id, row.tenant_id, row.meter, row.resource_id, window, row.reason, row.sample, row.created
    )
