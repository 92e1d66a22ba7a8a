# SPDX-License-Identifier: Apache-2.0
"""Reads what is stored of the windows of a period, and classifies them."""

import datetime
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import completeness
from distil.completeness import ProjectFailure
from distil.completeness import ProjectRecord
from distil.completeness import StateChange
from distil.completeness import WindowRange
from distil.db import errors
from distil.db import known_projects
from distil.db import queries
from distil.db import window_ranges
from distil.db.functions import valid_time
from distil.db.models import project_failures
from distil.db.models import project_states
from distil.db.models import receipts
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.model import Window

_PROJECTS_PER_QUERY = 200
# Of a month, this is 14,400 windows.
_UNMERGED_PROJECTS_PER_QUERY = 20
_HOUR = datetime.timedelta(hours=1)


class ProjectWindows(NamedTuple):
    """A project, and its windows that begin in a period, in time order."""

    project: ProjectRecord
    ranges: Sequence[WindowRange]


class PeriodWindows:
    """The windows that begin in a period, of all projects that anything is known of.

    Every method raises StoreError if the database fails.

    :param period: its end is not in the future.
    :param projects: ids; without any, all.
    :param domains: ids; without any, all.
    """

    def __init__(
        self, engine: sa.Engine, period: Window, projects: Collection[str] = (), domains: Collection[str] = ()
    ) -> None:
        self._engine = engine
        self._period = period
        self._projects = frozenset(projects)
        self._domains = frozenset(domains)

    def iterate(self) -> Iterator[ProjectWindows]:
        """Iterates over the projects by id. Memory holds a few hundred at a time."""
        return self._iterate(_PROJECTS_PER_QUERY, merged=True)

    def iterate_each(self) -> Iterator[ProjectWindows]:
        """As :meth:`iterate`, with a range for each window."""
        for found in self._iterate(_UNMERGED_PROJECTS_PER_QUERY, merged=False):
            length = found.project.length
            yield found._replace(ranges=[each for part in found.ranges for each in completeness.split(part, length)])

    def _iterate(self, size: int, *, merged: bool) -> Iterator[ProjectWindows]:
        with errors.translate_errors("read windows"), self._engine.connect() as connection:
            receipts_since = _receipts_since(connection)
            ids = sorted(known_projects.ids_in_period(connection, self._period, self._projects, self._domains))
        for batch in queries.batched(ids, size):
            with errors.translate_errors("read windows"), self._engine.connect() as connection:
                found = list(self._read(connection, batch, receipts_since, merged=merged))
            yield from found

    def _read(
        self,
        connection: sa.Connection,
        ids: Sequence[str],
        receipts_since: datetime.datetime | None,
        *,
        merged: bool,
    ) -> Iterator[ProjectWindows]:
        classify = completeness.classify if merged else completeness.classify_each
        records = _records(connection, ids, receipts_since)
        collected = window_ranges.collected(connection, ids, self._period, merged=merged)
        strangers = window_ranges.without_receipts(connection, ids, self._period)
        for project_id in ids:
            project = records[project_id]
            if project_id in strangers and not project.is_registered:
                # Only what the telemetry service holds is known of it.
                ranges = strangers[project_id] if _may_be_in_scope(project) else []
            else:
                ranges = list(classify(project, collected[project_id], self._period))
                ranges = _with_samples(ranges, strangers.get(project_id, []))
            yield ProjectWindows(project, ranges)


def _may_be_in_scope(project: ProjectRecord) -> bool:
    return project.state is None or project.state.state != completeness.ProjectState.OUT_OF_SCOPE


def _with_samples(ranges: Sequence[WindowRange], held: Sequence[WindowRange]) -> list[WindowRange]:
    """The ranges, and the windows with samples outside of them, as those of a departed project's machines."""
    outside = [late for late in held if not any(_overlap(late.window, known.window) for known in ranges)]
    return sorted([*ranges, *outside])


def _overlap(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end


def _receipts_since(connection: sa.Connection) -> datetime.datetime | None:
    """When the first receipts were written, or later: those of the oldest window; None without receipts."""
    oldest = sa.select(sa.func.min(receipts.c.start)).scalar_subquery()
    query = sa.select(sa.func.min(receipts.c.committed)).where(receipts.c.start == oldest)
    since: datetime.datetime | None = connection.scalar(query)
    return since


def _records(
    connection: sa.Connection, ids: Sequence[str], receipts_since: datetime.datetime | None
) -> Mapping[str, ProjectRecord]:
    query = sa.select(
        tenants.c.id,
        tenants.c.name,
        valid_time(tenants.c.created).label("created"),
        valid_time(tenants.c.last_collected).label("last_collected"),
        tenants.c.in_scope_of,
        tenants.c.departed,
        tenants.c.collect_until,
        _edge(receipts, receipts.c.start).label("first_receipt"),
        _edge(usage_entry, usage_entry.c.start).label("first_usage"),
        _edge(receipts, receipts.c.start, newest=True).label("last_start"),
        _edge(receipts, receipts.c.end, newest=True).label("last_end"),
    ).where(tenants.c.id.in_(ids))
    rows = {row.id: row for row in connection.execute(query)}
    failures, states = _failures(connection, ids), _states(connection, ids)
    return {
        project_id: _record(project_id, rows.get(project_id), receipts_since, failures.get(project_id), states)
        for project_id in ids
    }


def _record(
    project_id: str,
    row: sa.Row[Any] | None,
    receipts_since: datetime.datetime | None,
    failure: ProjectFailure | None,
    states: Mapping[str, Sequence[StateChange]],
) -> ProjectRecord:
    changes = states.get(project_id, ())
    if row is None:
        return ProjectRecord(id=project_id, failure=failure, states=changes)
    known = [time for time in (row.first_receipt, row.first_usage, row.last_collected) if time]
    registered = row.created and row.created.replace(minute=0, second=0, microsecond=0)
    return ProjectRecord(
        id=project_id,
        name=row.name,
        # No project starts later than when it was registered.
        start=min(known, default=registered),
        last_collected=row.last_collected,
        first_receipt=row.first_receipt,
        has_all_receipts=bool(receipts_since and row.created and row.created > receipts_since),
        length=row.last_end - row.last_start if row.last_start and row.last_end > row.last_start else _HOUR,
        is_tracked=row.in_scope_of is not None,
        departed=row.departed,
        until=row.collect_until,
        failure=failure,
        states=changes,
    )


def _edge(table: sa.Table, column: sa.ColumnElement[Any], *, newest: bool = False) -> sa.ScalarSelect[Any]:
    """A column of the oldest or newest window of a project. One row of the index for each project."""
    query = sa.select(column).where(table.c.tenant_id == tenants.c.id)
    return query.order_by(table.c.start.desc() if newest else table.c.start).limit(1).scalar_subquery()


def _failures(connection: sa.Connection, ids: Sequence[str]) -> Mapping[str, ProjectFailure]:
    columns = project_failures.c
    query = sa.select(columns.tenant_id, columns.start, columns.since, columns.reason)
    rows = connection.execute(query.where(columns.tenant_id.in_(ids)))
    return {project_id: ProjectFailure(*values) for project_id, *values in rows}


def _states(connection: sa.Connection, ids: Sequence[str]) -> Mapping[str, Sequence[StateChange]]:
    columns = project_states.c
    query = sa.select(columns.tenant_id, columns.since, columns.state, columns.collector)
    states = defaultdict(list)
    query = query.where(columns.tenant_id.in_(ids)).order_by(columns.tenant_id, columns.since)
    for project_id, *values in connection.execute(query):
        states[project_id].append(StateChange(*values))
    return states
