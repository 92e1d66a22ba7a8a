# SPDX-License-Identifier: Apache-2.0
"""Deletes what need not be kept any longer: old usage, and projects that are gone."""

import datetime
import functools
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil.db import deletion
from distil.db import errors
from distil.db import leases
from distil.db import models
from distil.db import periods
from distil.db import privileges
from distil.db import queries
from distil.db.functions import valid_time
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.db.periods import StoredPeriod

# Deleted in batches, in this order, because usage refers to resources; each by a column that leads an index.
_LARGE = (
    usage_entry.c.start,
    models.usage_history.c.id,
    models.receipts.c.start,
    models.rejected_samples.c.id,
    models.resources.c.id,
)

# With rows of windows.
_OF_WINDOWS = (
    models.rejected_samples,
    models.late_windows,
    models.usage_history,
    models.receipt_history,
    models.receipts,
    usage_entry,
)


class OldUsage(NamedTuple):
    """What is stored of old windows.

    :param projects: number of those that have usage.
    :param first: start of the oldest window with usage; None if there is none.
    :param last: end of the newest window.
    """

    usage_entries: int
    rejected_samples: int
    projects: int
    first: datetime.datetime | None
    last: datetime.datetime | None


class PrunedUsage(NamedTuple):
    """The number of rows that have been deleted."""

    usage_entries: int
    rejected_samples: int


def usage_before(engine: sa.Engine, before: datetime.datetime, project_ids: Collection[str] = ()) -> OldUsage:
    """The usage and the rejected samples of windows that start before a time.

    :param project_ids: of which projects; all of them if empty.
    :raises StoreError: the database failed.
    """
    usage, rejected = usage_entry.c, models.rejected_samples.c
    rejected_count = sa.select(sa.func.count()).where(*_old(rejected, before, project_ids)).scalar_subquery()
    columns = sa.func.count(), rejected_count, sa.func.count(usage.tenant_id.distinct()), sa.func.min(usage.start)
    query = sa.select(*columns, sa.func.max(usage.end)).where(*_old(usage, before, project_ids))
    with errors.translate_errors("count old usage"), engine.connect() as connection:
        return OldUsage(*connection.execute(query).one())


def require_prunable(engine: sa.Engine, before: datetime.datetime, *, closed_periods: bool) -> Sequence[StoredPeriod]:
    """The closed periods whose usage is deleted.

    :param closed_periods: whether usage of closed periods may be deleted.
    :raises Refused: it may not, or a period is not closed yet, or would be deleted in part.
    :raises StoreError: the database failed.
    """
    found = periods.list_periods(engine, end=before)
    for period in found:
        if period.closed is None:
            raise exceptions.Refused(f"period {period.name} is being closed: run period close {period.name} first")
        if period.window.end > before:
            raise exceptions.Refused(
                f"only a part of period {period.name} {period.window}, which is closed, would be deleted; use --before"
                " with its start or end"
            )
        if not closed_periods:
            raise exceptions.Refused(_closed(before, found))
    return found


def _closed(before: datetime.datetime, found: Sequence[StoredPeriod]) -> str:
    names = ", ".join(period.name for period in found)
    return (
        f"windows before {before:%Y-%m-%dT%H:%M:%SZ} may be in closed periods ({names}), whose usage is never changed;"
        " use --closed-periods to delete it nevertheless"
    )


def prune_usage(
    engine: sa.Engine,
    before: datetime.datetime,
    project_ids: Collection[str] = (),
    *,
    closed_periods: bool = False,
) -> PrunedUsage:
    """Deletes the usage of windows that start before a time, and all else that is stored of them.

    Nothing of it is collected again: last_collected stays. A window is deleted as a whole: a retry of its rejected
    samples would take a resource without usage for one that has not been billed. Windows that are stored meanwhile are
    kept, as a project stores that is behind.

    :param project_ids: of which projects; all of them if empty.
    :param closed_periods: also usage of closed periods, which are marked as pruned first.
    :raises Refused: see :func:`require_prunable`; or a period is closed meanwhile.
    :raises StoreError: the database failed. What has been deleted stays deleted; the rest can be deleted later.
    """
    closed = [period.name for period in require_prunable(engine, before, closed_periods=closed_periods)]
    privileges.require_delete(engine, _OF_WINDOWS)
    if closed:
        privileges.require_close(engine)
        _mark_pruned(engine, closed)

    def require_same_periods(connection: sa.Connection) -> None:
        new = [period for period in periods.read_periods(connection, end=before) if period.name not in closed]
        if new:
            raise exceptions.Refused(_closed(before, new))

    deleted: Counter[sa.Table] = Counter()
    with errors.translate_errors("delete old usage"):
        query = sa.select(tenants.c.id, valid_time(tenants.c.last_collected))
        if project_ids:
            query = query.where(tenants.c.id.in_(project_ids))
        with engine.connect() as connection:
            rows = connection.execute(query.order_by(tenants.c.id)).all()
        for project_id, last_collected in rows:
            end = min(before, last_collected or before)
            deleted += deletion.delete_windows(engine, _OF_WINDOWS, project_id, end, require_same_periods)
    return PrunedUsage(deleted[usage_entry], deleted[models.rejected_samples])


def _mark_pruned(engine: sa.Engine, names: Sequence[str]) -> None:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    statement = sa.update(models.periods).where(models.periods.c.name.in_(names), models.periods.c.pruned.is_(None))
    with errors.translate_errors("mark closed periods as pruned"), engine.begin() as connection:
        connection.execute(statement.values(pruned=now))


def _old(columns: Any, before: datetime.datetime, project_ids: Collection[str]) -> Iterator[sa.ColumnElement[bool]]:
    return queries.filter_conditions([(columns.tenant_id, project_ids)], columns.start, None, before)


def count_rows(engine: sa.Engine, project_id: str) -> dict[str, int]:
    """The number of rows of a project, by table.

    :raises StoreError: the database failed.
    """
    with errors.translate_errors(f"count the rows of project {project_id}"), engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).where(_project(table) == project_id)) or 0
            for table in _tables()
        }


def forget(engine: sa.Engine, project_id: str, owner: str) -> dict[str, int]:
    """Deletes everything that is stored of a project, and returns the number of rows by table.

    A collector that has the project in its hands cannot store another window: the project has no last_collected from
    the first transaction on, and is not tracked any more. If this is interrupted, it can be repeated.

    :param owner: of the lease that is held meanwhile.
    :raises Refused: a collector holds the project's lease, or has begun to collect it anew; or the project has windows
        in a closed period.
    :raises StoreError: the database failed.
    """
    privileges.require_delete(engine, _tables())
    lease = leases.Leases(engine, owner)
    if not lease.acquire(project_id):
        raise exceptions.Refused(f"a collector holds the lease of project {project_id}, and may be collecting it")
    try:
        with errors.translate_errors(f"delete project {project_id}"):
            return _delete_project(engine, project_id)
    finally:
        lease.release(project_id)


def _delete_project(engine: sa.Engine, project_id: str) -> dict[str, int]:
    detached = functools.partial(_require_detached, project_id)
    large = [column.table for column in _LARGE]
    counts: dict[str, int] = {}
    with engine.begin() as connection:
        values = {"last_collected": None, "in_scope_of": None}
        connection.execute(sa.update(tenants).where(tenants.c.id == project_id).values(values))
        _require_no_closed_period(connection, project_id)
        for table in _tables():
            if table not in large and table is not tenants:
                counts[table.name] = _delete(connection, table, project_id)
    for column in _LARGE:
        condition = _project(column.table) == project_id
        counts[column.table.name] = deletion.delete_in_batches(engine, column, condition, detached)
    with engine.begin() as connection:
        detached(connection)
        counts[tenants.name] = _delete(connection, tenants, project_id)
    return counts


def _require_detached(project_id: str, connection: sa.Connection) -> None:
    """Lock the project's row, which must still have no last_collected."""
    row = tenants.c.id == project_id, tenants.c.last_collected.is_(None)
    if connection.execute(sa.update(tenants).where(*row).values(last_collected=None)).rowcount != 1:
        raise exceptions.Refused(
            f"a collector has begun to collect project {project_id} anew; what it stores is kept. Remove the project"
            " from its scope, and repeat the command"
        )
    _require_no_closed_period(connection, project_id)


def require_forgettable(engine: sa.Engine, project_id: str) -> None:
    """Checks that nothing of a project is in a closed period.

    :raises Refused: something is.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors(f"read closed periods of project {project_id}"), engine.connect() as connection:
        _require_no_closed_period(connection, project_id)


def _require_no_closed_period(connection: sa.Connection, project_id: str) -> None:
    names = periods.with_windows(connection, project_id)
    if names:
        raise exceptions.Refused(
            f"project {project_id} has windows in closed periods ({', '.join(names)}), whose usage is never changed;"
            " usage prune --closed-periods deletes it, if it is not needed any longer"
        )


def _delete(connection: sa.Connection, table: sa.Table, project_id: str) -> int:
    return connection.execute(sa.delete(table).where(_project(table) == project_id)).rowcount


def _tables() -> list[sa.Table]:
    """Those that have rows of projects, except for leases; a table that refers to another comes before it."""
    tables = [table for table in reversed(models.metadata.sorted_tables) if "tenant_id" in table.c]
    return [*tables, tenants]


def _project(table: sa.FromClause) -> sa.ColumnElement[str]:
    column: sa.ColumnElement[str] = tenants.c.id if table is tenants else table.c.tenant_id
    return column
