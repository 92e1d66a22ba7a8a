# SPDX-License-Identifier: Apache-2.0
"""Reads the windows of projects that are stored, and lets the database merge them to ranges."""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from distil.completeness import WindowRange
from distil.completeness import WindowState
from distil.db import queries
from distil.db.functions import seconds_between
from distil.db.models import late_windows
from distil.db.models import receipts
from distil.db.models import rejected_samples
from distil.model import Window


def collected(
    connection: sa.Connection, ids: Sequence[str], period: Window, *, merged: bool
) -> Mapping[str, list[WindowRange]]:
    """The windows with receipts that begin in a period by project, in time order.

    :param merged: whether adjoining windows of the same state are merged to a range; the database does it.
    """
    ranges: defaultdict[str, list[WindowRange]] = defaultdict(list)
    others = ids
    if merged:
        # Most projects have nothing but complete windows. To merge these costs five times as much as to add them up.
        ranges.update(_unbroken(connection, ids, period))
        others = [project_id for project_id in ids if project_id not in ranges]
    query = _ranges(others, period) if merged else _each(others, period)
    for project_id, state, start, end, number, suspect, rejected, held in connection.execute(query):
        found = WindowState(state)
        reasons = {
            WindowState.SUSPECT: suspect or "",
            WindowState.REJECTED: f"samples rejected: {rejected}",
            WindowState.LATE: f"the telemetry service holds other samples than were collected; it holds {held}",
        }
        ranges[project_id].append(WindowRange(Window(start, end), number, found, reasons.get(found, "")))
    return ranges


def _unbroken(connection: sa.Connection, ids: Sequence[str], period: Window) -> Iterator[tuple[str, list[WindowRange]]]:
    """The projects that have only complete windows, which adjoin; each as a single range."""
    one = _windows(ids, period).subquery().c
    length = sa.cast(sa.func.sum(seconds_between(one.start, one.end)), sa.BigInteger)
    query = sa.select(one.tenant_id, sa.func.min(one.start), sa.func.max(one.end), sa.func.count(), length)
    query = query.group_by(one.tenant_id)
    states = sa.func.min(one.state), sa.func.max(one.state)
    query = query.having(*(state == WindowState.COMPLETE.value for state in states))
    for project_id, start, end, number, seconds in connection.execute(query):
        if datetime.timedelta(seconds=seconds) == end - start:
            yield project_id, [WindowRange(Window(start, end), number, WindowState.COMPLETE)]


def _each(ids: Sequence[str], period: Window) -> sa.Select[Any]:
    """A row for each window, as :func:`_ranges` has one for each range."""
    one = _windows(ids, period).subquery().c
    query = sa.select(one.tenant_id, one.state, one.start, one.end, sa.literal(1), one.suspect, one.rejected, one.held)
    return query.order_by(one.tenant_id, one.start)


def _windows(ids: Sequence[str], period: Window) -> sa.Select[Any]:
    """The windows with receipts, and their states."""
    columns, sample = receipts.c, rejected_samples.c
    is_rejected = sa.exists().where(sample.tenant_id == columns.tenant_id, sample.start == columns.start)
    state = sa.case(
        (late_windows.c.tenant_id.is_not(None), sa.literal_column("'late'")),
        (columns.suspect.is_not(None), sa.literal_column("'suspect'")),
        # Those that an operator has deleted are settled.
        (sa.and_(columns.rejected > 0, is_rejected), sa.literal_column("'rejected'")),
        (columns.samples == 0, sa.literal_column("'empty'")),
        else_=sa.literal_column("'complete'"),
    ).label("state")
    is_late = sa.and_(late_windows.c.tenant_id == columns.tenant_id, late_windows.c.start == columns.start)
    fields = columns.tenant_id, columns.start, columns.end, columns.suspect, columns.rejected
    windows = sa.select(*fields, late_windows.c.samples.label("held"), state)
    windows = windows.select_from(receipts.outerjoin(late_windows, is_late))
    return windows.where(columns.tenant_id.in_(ids), *_in_period(columns, period))


def _ranges(ids: Sequence[str], period: Window) -> sa.Select[Any]:
    """Gaps and islands: a window begins a range unless it adjoins one of the same state."""
    one = _windows(ids, period).subquery().c
    last_end, last_state = (
        sa.func.lag(column).over(partition_by=one.tenant_id, order_by=one.start) for column in (one.end, one.state)
    )
    adjoins = sa.and_(last_end == one.start, last_state == one.state)
    marked = sa.select(*one, sa.case((adjoins, 0), else_=1).label("begins")).subquery().c
    number = sa.func.sum(marked.begins).over(partition_by=marked.tenant_id, order_by=marked.start).label("number")
    numbered = sa.select(*marked, number).subquery().c
    totals = sa.func.max(numbered.suspect), sa.func.sum(numbered.rejected), sa.func.sum(numbered.held)
    bounds = sa.func.min(numbered.start).label("first"), sa.func.max(numbered.end), sa.func.count()
    query = sa.select(numbered.tenant_id, numbered.state, *bounds, *totals)
    query = query.group_by(numbered.tenant_id, numbered.number, numbered.state)
    return query.order_by(numbered.tenant_id, sa.text("first"))


def without_receipts(connection: sa.Connection, ids: Sequence[str], period: Window) -> Mapping[str, list[WindowRange]]:
    """Late windows that were never collected, by project."""
    columns = late_windows.c
    same = sa.and_(receipts.c.tenant_id == columns.tenant_id, receipts.c.start == columns.start)
    query = sa.select(columns.tenant_id, columns.start, columns.end, columns.samples)
    query = query.select_from(late_windows.outerjoin(receipts, same)).where(receipts.c.tenant_id.is_(None))
    query = query.where(columns.tenant_id.in_(ids), *_in_period(columns, period))
    found = defaultdict(list)
    for project_id, start, end, samples in connection.execute(query.order_by(columns.tenant_id, columns.start)):
        reason = f"never collected: no run saw the project then; the telemetry service holds {samples} samples"
        found[project_id].append(WindowRange(Window(start, end), 1, WindowState.MISSING, reason))
    return found


def _in_period(columns: Any, period: Window) -> Iterator[sa.ColumnElement[bool]]:
    return queries.filter_conditions([], columns.start, period.start, period.end)
