# SPDX-License-Identifier: Apache-2.0
"""Queries of usage: single entries and totals."""

import dataclasses
import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import errors
from distil.db import local_time
from distil.db import queries
from distil.db import types
from distil.db.models import tenants
from distil.db.models import usage_entry

GROUPS = ("project", "domain", "service", "resource", "unit", *local_time.PERIODS)

# The columns of a total, by the group that they are of.
_GROUP_COLUMNS = {"project": "project_id", "domain": "domain_id", "resource": "resource_id"}


class UsageEntry(NamedTuple):
    """A stored usage entry.

    :param project: the project's name.
    :param domain_id: of the project; None if it is not known.
    """

    project_id: str
    project: str
    domain_id: str | None
    service: str
    resource_id: str
    unit: str
    volume: Decimal | None
    start: datetime.datetime
    end: datetime.datetime


@dataclasses.dataclass(frozen=True)
class UsageFilter:
    """Selects usage entries by project, domain, service, resource, and the period [start, end) in which their window
    begins.

    An empty field selects all.
    """

    projects: Collection[str] = ()
    domains: Collection[str] = ()
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
        yield from queries.filter_conditions(allowed, columns.start, self.start, self.end)
        if self.domains:
            yield columns.tenant_id.in_(sa.select(tenants.c.id).where(tenants.c.domain_id.in_(self.domains)))


def entries(
    engine: sa.Engine, usage_filter: UsageFilter, limit: int | None = None, order: Iterable[queries.SortKey] = ()
) -> Iterator[UsageEntry]:
    """Iterates over usage entries in order, and by project, start, service and resource.

    :param limit: maximum number of entries, counted in this order.
    :raises StoreError: the database failed.
    """
    columns = usage_entry.c
    fields = {
        "project_id": columns.tenant_id,
        "project": tenants.c.name,
        "domain_id": tenants.c.domain_id,
        **{name: columns[name] for name in UsageEntry._fields[3:]},
    }
    default = (columns.tenant_id, columns.start, columns.service, columns.resource_id, columns.end)
    query = (
        sa.select(*fields.values())
        .join_from(usage_entry, tenants, columns.tenant_id == tenants.c.id)
        .where(*usage_filter.conditions())
        .order_by(*queries.order(fields, order), *default)
        .limit(limit)
    )
    yield from map(UsageEntry._make, queries.stream(engine, query, "read usage"))


def total_columns(groups: Iterable[str]) -> list[str]:
    """The columns of totals: those of the groups, ``volume`` and ``entries``. A project has a name and a domain."""
    names = [_GROUP_COLUMNS.get(group, group) for group in groups]
    if "project_id" in names:
        position = names.index("project_id") + 1
        names[position:position] = ["project", *(["domain_id"] if "domain_id" not in names else [])]
    return [*names, "volume", "entries"]


def totals(
    engine: sa.Engine,
    usage_filter: UsageFilter,
    groups: Sequence[str],
    limit: int | None = None,
    order: Iterable[queries.SortKey] = (),
    zone: datetime.tzinfo = datetime.UTC,
) -> Iterator[tuple[Any, ...]]:
    """Iterates over totals of usage by group, which the database adds up, in order, and by group.

    :param groups: of :data:`GROUPS`. Include ``unit``: a total over different units is meaningless.
    :param zone: of the periods that usage is grouped by.
    :returns: rows of :func:`total_columns`; a period is ISO 8601 text.
    :raises StoreError: the database failed.
    """
    offsets = _offsets(engine, usage_filter, zone) if set(groups) & set(local_time.PERIODS) else []
    keys = {_GROUP_COLUMNS.get(group, group): _key(engine.dialect, group, offsets) for group in groups}
    # The keys are computed in a query of their own: PostgreSQL would not recognize an expression with bound values as
    # the same one in SELECT and GROUP BY.
    rows = sa.select(*(key.label(name) for name, key in keys.items()), usage_entry.c.volume)
    if "domain_id" in keys:
        rows = rows.join_from(usage_entry, tenants, usage_entry.c.tenant_id == tenants.c.id)
    selected = rows.where(*usage_filter.conditions()).subquery()
    group_by = [selected.c[name] for name in keys]
    sums = {"volume": sa.func.sum(selected.c.volume, type_=types.Volume()), "entries": sa.func.count()}
    grouped = sa.select(*group_by, *(value.label(name) for name, value in sums.items())).group_by(*group_by).subquery()
    columns: dict[str, sa.ColumnElement[Any]] = dict(grouped.c)
    query = sa.select(grouped)
    if "project_id" in keys:
        columns = {"project": tenants.c.name, "domain_id": tenants.c.domain_id} | columns
        query = sa.select().join_from(grouped, tenants, grouped.c.project_id == tenants.c.id)
    query = query.with_only_columns(*(columns[name] for name in total_columns(groups)))
    query = query.order_by(*queries.order(columns, order), *(grouped.c[name] for name in keys)).limit(limit)
    yield from map(tuple, queries.stream(engine, query, "add up usage"))


def _offsets(engine: sa.Engine, usage_filter: UsageFilter, zone: datetime.tzinfo) -> list[local_time.Offset]:
    """The zone's offsets in the time of which there is usage, within the selected period."""
    column = usage_entry.c.start
    with errors.translate_errors("read the period of usage"), engine.connect() as connection:
        first = connection.scalar(sa.select(sa.func.min(column))) or datetime.datetime.now(datetime.UTC)
        last = connection.scalar(sa.select(sa.func.max(column))) or first
    start, end = max(first, usage_filter.start or first), min(last, usage_filter.end or last)
    return list(local_time.offsets(zone, start, end))


def _key(dialect: sa.Dialect, group: str, offsets: list[local_time.Offset]) -> sa.ColumnElement[Any]:
    columns = usage_entry.c
    if group in local_time.PERIODS:
        return local_time.period(dialect.name, columns.start, group, offsets)
    if group == "unit" and dialect.name == "mysql":
        # The column's collation disregards case, but GB and gb are different units.
        return sa.collate(columns.unit, types.exact_collation(dialect))
    return {
        "project": columns.tenant_id,
        "domain": tenants.c.domain_id,
        "service": columns.service,
        "resource": columns.resource_id,
        "unit": columns.unit,
    }[group]
