# SPDX-License-Identifier: Apache-2.0
"""What was used, for its readers: entry by entry or added up."""

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

# The same text of a time, in the words of each database.
_FORMATS = {
    "mysql": {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"},
    "sqlite": {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"},
    "postgresql": {"hour": 'YYYY-MM-DD"T"HH24":00:00Z"', "day": "YYYY-MM-DD", "month": "YYYY-MM"},
}


class UsageEntry(NamedTuple):
    """One usage entry."""

    project_id: str
    service: str
    resource_id: str
    unit: str
    volume: Decimal | None
    start: datetime.datetime
    end: datetime.datetime


class UsageTotal(NamedTuple):
    """:param group: values of what it is grouped by; a period as text.
    :param entries: how many were added up.
    """

    group: tuple[str, ...]
    volume: Decimal | None
    entries: int


@dataclasses.dataclass(frozen=True)
class UsageFilter:
    """Which usage entries: those of all of these, where something is given, whose window begins in [start, end)."""

    projects: Collection[str] = ()
    services: Collection[str] = ()
    resources: Collection[str] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        columns = usage_entry.c
        among = (
            (columns.tenant_id, self.projects),
            (columns.service, self.services),
            (columns.resource_id, self.resources),
        )
        return queries.filter_conditions(among, columns.start, self.start, self.end)


def entries(engine: sa.Engine, chosen: UsageFilter, limit: int | None = None) -> Iterator[UsageEntry]:
    """Usage entries by project, start, service and resource, as they are read.

    :raises StoreError: the database failed.
    """
    columns = usage_entry.c
    shown = (columns.tenant_id, columns.service, columns.resource_id, columns.unit, columns.volume)
    query = (
        sa.select(*shown, columns.start, columns.end)
        .where(*chosen.conditions())
        .order_by(columns.tenant_id, columns.start, columns.service, columns.resource_id, columns.end)
        .limit(limit)
    )
    yield from map(UsageEntry._make, queries.stream(engine, query, "reading usage"))


def totals(
    engine: sa.Engine, chosen: UsageFilter, groups: Sequence[str], limit: int | None = None
) -> Iterator[UsageTotal]:
    """Usage added up by the database, by group.

    :param groups: some of :data:`GROUPS`. Volumes of different units add up to nothing, so ``unit`` should be one.
    :raises StoreError: the database failed.
    """
    keys = [_key(engine.dialect, group) for group in groups]
    sums = sa.func.sum(usage_entry.c.volume, type_=types.Volume()), sa.func.count()
    query = sa.select(*keys, *sums).where(*chosen.conditions()).group_by(*keys).order_by(*keys).limit(limit)
    for *group, volume, count in map(tuple, queries.stream(engine, query, "adding up usage")):
        yield UsageTotal(tuple(group), volume, count)


def _key(dialect: sa.Dialect, group: str) -> sa.ColumnElement[Any]:
    columns = usage_entry.c
    if group in _PERIODS:
        return _text(dialect.name, columns.start, _FORMATS[dialect.name][group])
    if group == "unit" and dialect.name == "mysql":
        # The column's own collation takes GB and gb for one.
        return sa.collate(columns.unit, types.exact_collation(dialect))
    return {
        "project": columns.tenant_id,
        "service": columns.service,
        "resource": columns.resource_id,
        "unit": columns.unit,
    }[group]


def _text(dialect: str, moment: sa.ColumnElement[datetime.datetime], form: str) -> sa.ColumnElement[str]:
    # No parameter, which PostgreSQL would not know for the same in SELECT and in GROUP BY.
    literal = sa.literal_column(f"'{form}'", sa.String)
    if dialect == "sqlite":
        return sa.func.strftime(literal, moment, type_=sa.String)
    function = sa.func.date_format if dialect == "mysql" else sa.func.to_char
    return function(moment, literal, type_=sa.String)
