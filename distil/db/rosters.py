# SPDX-License-Identifier: Apache-2.0
"""Rosters, and the rechecks that settle what they leave open: whether a project may have lived unseen."""

import datetime
import itertools
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import digest
from distil import text
from distil.db import errors
from distil.db.models import MAX_COLLECTOR
from distil.db.models import rechecks
from distil.db.models import rosters
from distil.db.models import tenants
from distil.db.rechecks import RecheckMethod
from distil.model import Window

# Runs begin once an hour, with some jitter.
_MAX_PAUSE = datetime.timedelta(hours=2)


def insert(engine: sa.Engine, collector: str, taken: datetime.datetime, project_ids: Collection[str]) -> None:
    """Stores which projects a run has in scope. Another process of the collector may have stored the same.

    :raises StoreError: the database failed.
    """
    row = {
        "collector": text.fit_column(collector, MAX_COLLECTOR),
        "taken": taken.replace(microsecond=0),
        "projects": len(project_ids),
        "digest": digest.document_digest("\n".join(sorted(project_ids))),
    }
    with errors.translate_errors("store a roster"):
        try:
            with engine.begin() as connection:
                connection.execute(sa.insert(rosters), row)
        except db_exception.DBDuplicateEntry:
            return


def gaps(engine: sa.Engine, period: Window) -> list[Window]:
    """The parts of a period in which no run has seen Keystone's list for more than two hours.

    There are none before the first roster.

    :raises StoreError: the database failed.
    """
    columns = rosters.c
    with errors.translate_errors("read rosters"), engine.connect() as connection:
        before = connection.scalar(sa.select(sa.func.max(columns.taken)).where(columns.taken <= period.start))
        after = connection.scalar(sa.select(sa.func.min(columns.taken)).where(columns.taken >= period.end))
        query = sa.select(columns.taken).where(columns.taken > period.start, columns.taken < period.end)
        times = list(connection.scalars(query.order_by(columns.taken)))
    times = [*([before] if before else []), *times, after or period.end]
    pauses = [Window(*pair) for pair in itertools.pairwise(times) if pair[1] - pair[0] > _MAX_PAUSE]
    return [Window(max(pause.start, period.start), min(pause.end, period.end)) for pause in pauses]


def unchecked(
    engine: sa.Engine, period: Window, age: datetime.timedelta, *, only_counts: bool = False
) -> Sequence[Window]:
    """The parts of a period that were not compared with all telemetry services in use when they were as old.

    :param age: from the end of what was compared to the comparison.
    :param only_counts: only comparisons that find projects that no run has seen.
    :raises StoreError: the database failed.
    """
    columns = rechecks.c
    query = sa.select(columns.telemetry, columns.start, columns.end, columns.checked).where(
        columns.start < period.end, columns.end > period.start
    )
    if only_counts:
        query = query.where(columns.method == RecheckMethod.COUNTS.value)
    with errors.translate_errors("read rechecks"), engine.connect() as connection:
        rows = connection.execute(query.order_by(columns.start)).all()
        in_use = set(connection.scalars(sa.select(tenants.c.telemetry).where(tenants.c.last_collected > period.start)))
    checked = [row for row in rows if row.checked - row.end >= age]
    services = {name for name in in_use if name is not None} or {row.telemetry for row in checked} or {None}
    found = {
        gap
        for service in services
        for gap in _uncovered((Window(row.start, row.end) for row in checked if row.telemetry == service), period)
    }
    return sorted(found)


def _uncovered(covers: Iterable[Window], period: Window) -> Iterator[Window]:
    """The parts of a period that no window covers.

    :param covers: by start.
    """
    time = period.start
    for cover in covers:
        if cover.start > time:
            yield Window(time, cover.start)
        time = max(time, cover.end)
    if time < period.end:
        yield Window(time, period.end)
