# SPDX-License-Identifier: Apache-2.0
"""Reads the usage of a database window by window: of this one or another, of any revision.

Nothing is written, and no table or column is needed but those that every revision has.
"""

import datetime
import itertools
from collections.abc import Collection
from collections.abc import Container
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import queries
from distil.db.functions import valid_time
from distil.db.models import tenants
from distil.db.models import usage_entry

_NEEDED = {
    "tenants": {"id", "name", "last_collected"},
    "usage_entry": {"service", "unit", "volume", "tenant_id", "resource_id", "start", "end"},
}


class WindowUsage(NamedTuple):
    """The stored usage of a window that has any. A volume that is NULL is read as 0."""

    window: model.Window
    usage: list[model.Usage]


class CollectedSpan(NamedTuple):
    """The time of which a project's usage has been collected.

    :param start: of its first window with usage; None without usage.
    :param end: of its last window; None if nothing was collected.
    """

    start: datetime.datetime | None
    end: datetime.datetime | None

    def covers(self, window: model.Window) -> bool:
        """Whether the window lies within it."""
        return bool(self.start and self.end and self.start <= window.start and window.end <= self.end)


class UsageSource:
    """The usage in a database of the windows that begin in the period [start, end).

    Every method raises StoreError if the database fails.
    """

    def __init__(self, engine: sa.Engine, start: datetime.datetime, end: datetime.datetime) -> None:
        self._engine = engine
        self._start = start
        self._end = end

    def read_scale(self) -> int | None:
        """The decimal places to which the database rounds volumes; None if it keeps as many as this release, or more.

        :raises SchemaError: the database does not have the tables of usage.
        """
        with errors.translate_errors("read the tables"), self._engine.connect() as connection:
            inspector = sa.inspect(connection)
            columns = {
                name: {column["name"]: column["type"] for column in inspector.get_columns(name)}
                for name in _NEEDED.keys() & set(inspector.get_table_names())
            }
        for table, needed in _NEEDED.items():
            missing = sorted(needed - columns.get(table, {}).keys())
            if missing:
                what = (
                    f"its table {table} lacks {', '.join(missing)}" if table in columns else f"it has no table {table}"
                )
                raise exceptions.SchemaError(f"{self._engine.url.database} is not a database of usage: {what}")
        if self._engine.dialect.name == "sqlite":
            return None
        scale: int | None = getattr(columns["usage_entry"]["volume"], "scale", None)
        return None if scale is None or scale >= model.SCALE else scale

    def project_ids(self) -> set[str]:
        """The projects that have been collected to after the start of the period, or of which that is not known."""
        last_collected = valid_time(tenants.c.last_collected)
        query = sa.select(tenants.c.id).where(sa.or_(last_collected > self._start, last_collected.is_(None)))
        with errors.translate_errors("read projects"), self._engine.connect() as connection:
            return set(connection.scalars(query))

    def span(self, project_id: str) -> CollectedSpan:
        """The time of which a project has been collected; to its last usage, if nothing else says to when."""
        columns = usage_entry.c
        first = sa.select(columns.start).where(columns.tenant_id == project_id).order_by(columns.start).limit(1)
        newest = sa.select(columns.end).where(columns.tenant_id == project_id).order_by(columns.start.desc()).limit(1)
        last = sa.select(valid_time(tenants.c.last_collected)).where(tenants.c.id == project_id)
        with errors.translate_errors(f"read project {project_id}"), self._engine.connect() as connection:
            end = connection.scalar(last) or connection.scalar(newest)
            return CollectedSpan(connection.scalar(first), end)

    def windows(self, project_id: str, apart: Container[str] = ()) -> Iterator[WindowUsage]:
        """Iterates over the windows of a project that have usage, in time order.

        :param apart: ids of all projects that are read. An older database may take ids for equal that differ in case or
            trailing blanks; usage of one of these is only read as its own.
        """
        columns = usage_entry.c
        query = sa.select(
            columns.start,
            columns.end,
            columns.tenant_id,
            columns.service,
            columns.resource_id,
            columns.unit,
            columns.volume,
        )
        query = query.where(columns.tenant_id == project_id, *self._in_period()).order_by(columns.start, columns.end)
        rows = queries.stream(self._engine, query, f"read the usage of project {project_id}")
        own = (row for row in rows if row.tenant_id == project_id or row.tenant_id not in apart)
        for times, group in itertools.groupby(own, key=lambda row: row[:2]):
            yield WindowUsage(model.Window(*times), [_usage(row) for row in group])

    def of_window(self, project_ids: Collection[str], window: model.Window) -> dict[str, list[model.Usage]]:
        """The usage of a window, by project."""
        columns = usage_entry.c
        query = sa.select(columns.tenant_id, columns.service, columns.resource_id, columns.unit, columns.volume)
        query = query.where(columns.start == window.start, columns.end == window.end)
        found: dict[str, list[model.Usage]] = {project_id: [] for project_id in project_ids}
        with errors.translate_errors("read usage"), self._engine.connect() as connection:
            for batch in queries.batched(sorted(project_ids)):
                for row in connection.execute(query.where(columns.tenant_id.in_(batch))):
                    found[row.tenant_id].append(_usage(row))
        return found

    def _in_period(self) -> tuple[sa.ColumnElement[bool], ...]:
        return usage_entry.c.start >= self._start, usage_entry.c.start < self._end


def _usage(row: Any) -> model.Usage:
    volume = Decimal(0) if row.volume is None else row.volume
    return model.Usage(row.service, row.resource_id, row.unit, volume)
