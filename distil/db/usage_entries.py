# SPDX-License-Identifier: Apache-2.0
"""Queries of usage: single entries and totals."""

import dataclasses
import datetime
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import queries
from distil.db import types
from distil.db.models import usage_entry

_PERIODS = ("day", "hour", "month")
GROUPS = ("project", "service", "resource", "unit", *_PERIODS)

# Formats with the same result, in each database's syntax.
_PERIOD_FORMATS = {
    "mysql": {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"},
    "sqlite": {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"},
    "postgresql": {"hour": 'YYYY-MM-DD"T"HH24":00:00Z"', "day": "YYYY-MM-DD", "month": "YYYY-MM"},
}


class UsageEntry(NamedTuple):
    """A stored usage entry."""

    project_id: str
    service: str
    resource_id: str
    unit: str
    volume: Decimal | None
    start: datetime.datetime
    end: datetime.datetime


class UsageTotal(NamedTuple):
    """The total of a group of usage entries.

    :param group: values of the grouping keys; a period is ISO 8601 text.
    :param entries: number of entries in the group.
    """

    group: tuple[str, ...]
    volume: Decimal | None
    entries: int


@dataclasses.dataclass(frozen=True)
class UsageFilter:
    """Selects usage entries by project, service, resource, and the period [start, end) in which their window begins.

    An empty field selects all.
    """

    projects: Collection[str] = ()
    services: Collection[str] = ()
    resources: Collection[str] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        columns = usage_entry.c
        allowed = (
            (columns.tenant_id, self.projects),
            (columns.service, self.services),
            (columns.resource_id, self.resources),
        )
        return queries.filter_conditions(allowed, columns.start, self.start, self.end)


def entries(engine: sa.Engine, usage_filter: UsageFilter, limit: int | None = None) -> Iterator[UsageEntry]:
    """Iterates over usage entries, ordered by project, start, service and resource.

    :raises StoreError: the database failed.
    """
    columns = usage_entry.c
    fields = (columns.tenant_id, columns.service, columns.resource_id, columns.unit, columns.volume)
    query = (
        sa.select(*fields, columns.start, columns.end)
        .where(*usage_filter.conditions())
        .order_by(columns.tenant_id, columns.start, columns.service, columns.resource_id, columns.end)
        .limit(limit)
    )
    yield from map(UsageEntry._make, queries.stream(engine, query, "read usage"))


def totals(
    engine: sa.Engine, usage_filter: UsageFilter, groups: Sequence[str], limit: int | None = None
) -> Iterator[UsageTotal]:
    """Iterates over totals of usage by group, which the database adds up.

    :param groups: of :data:`GROUPS`. Include ``unit``: a total over different units is meaningless.
    :raises StoreError: the database failed.
    """
    keys = [_key(engine.dialect, group) for group in groups]
    sums = sa.func.sum(usage_entry.c.volume, type_=types.Volume()), sa.func.count()
    query = sa.select(*keys, *sums).where(*usage_filter.conditions()).group_by(*keys).order_by(*keys).limit(limit)
    for *group, volume, count in map(tuple, queries.stream(engine, query, "add up usage")):
        yield UsageTotal(tuple(group), volume, count)


def _key(dialect: sa.Dialect, group: str) -> sa.ColumnElement[Any]:
    columns = usage_entry.c
    if group in _PERIODS:
        return _format_time(dialect.name, columns.start, _PERIOD_FORMATS[dialect.name][group])
    if group == "unit" and dialect.name == "mysql":
        # The column's collation disregards case, but GB and gb are different units.
        return sa.collate(columns.unit, types.exact_collation(dialect))
    return {
        "project": columns.tenant_id,
        "service": columns.service,
        "resource": columns.resource_id,
        "unit": columns.unit,
    }[group]


def _format_time(dialect: str, time: sa.ColumnElement[datetime.datetime], time_format: str) -> sa.ColumnElement[str]:
    # Literal, because PostgreSQL would not recognize a bound value as the same expression in SELECT and GROUP BY.
    literal = sa.literal_column(f"'{time_format}'", sa.String)
    if dialect == "sqlite":
        return sa.func.strftime(literal, time, type_=sa.String)
    function = sa.func.date_format if dialect == "mysql" else sa.func.to_char
    return function(time, literal, type_=sa.String)
