# SPDX-License-Identifier: Apache-2.0
"""Late windows: those of which the telemetry service holds other samples than were collected."""

import datetime
from collections.abc import Collection
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db import queries
from distil.db import transaction
from distil.db import types
from distil.db.models import late_windows
from distil.db.models import receipts

# Only of windows that were not collected again since they were compared: that deletes the row. The names of bound
# values differ from those of columns, which SQLAlchemy reserves.
_OF_RECEIPT = sa.insert(late_windows).from_select(
    ["tenant_id", "start", "end", "samples", "checked"],
    sa.select(
        receipts.c.tenant_id,
        receipts.c.start,
        receipts.c.end,
        sa.bindparam("new_samples", type_=sa.Integer),
        sa.bindparam("new_checked", type_=types.UTCDateTime),
    ).where(
        receipts.c.tenant_id == sa.bindparam("project"),
        receipts.c.start == sa.bindparam("window_start", type_=types.UTCDateTime),
        receipts.c.revision == sa.bindparam("compared_revision"),
    ),
)


class WindowKey(NamedTuple):
    """What identifies a window."""

    project_id: str
    start: datetime.datetime


class NewLateWindow(NamedTuple):
    """A window that was found late.

    :param samples: number of samples that the telemetry service holds now.
    :param revision: of the receipt that was compared; None without one.
    """

    project_id: str
    window: model.Window
    samples: int
    revision: int | None

    @property
    def key(self) -> WindowKey:
        return WindowKey(self.project_id, self.window.start)


def stored_keys(engine: sa.Engine, period: model.Window, projects: Collection[str] = ()) -> set[WindowKey]:
    """The late windows that begin in a period.

    :param projects: ids; without any, all.
    :raises StoreError: the database failed.
    """
    columns = late_windows.c
    conditions = queries.filter_conditions([(columns.tenant_id, projects)], columns.start, period.start, period.end)
    query = sa.select(columns.tenant_id, columns.start).where(*conditions)
    with errors.translate_errors("read late windows"), engine.connect() as connection:
        return {WindowKey(*row) for row in connection.execute(query)}


class StoredLateWindow(NamedTuple):
    """What the telemetry service held of a late window.

    :param checked: when it was compared.
    """

    samples: int
    checked: datetime.datetime


def get(engine: sa.Engine, key: WindowKey) -> StoredLateWindow | None:
    """What was found of a window; None if it is not late.

    :raises StoreError: the database failed.
    """
    columns = late_windows.c
    query = sa.select(columns.samples, columns.checked)
    query = query.where(columns.tenant_id == key.project_id, columns.start == key.start)
    with errors.translate_errors(f"read a late window of project {key.project_id}"), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else StoredLateWindow(*row)


def insert(engine: sa.Engine, found: Sequence[NewLateWindow], now: datetime.datetime) -> None:
    """Stores late windows that are not stored yet.

    :raises StoreError: the database failed.
    """
    retrying = transaction.conflict_retrying()
    for batch in queries.batched(found):
        with errors.translate_errors("store late windows"):
            retrying(_insert, engine, batch, now)


def replace(
    engine: sa.Engine, found: Sequence[NewLateWindow], settled: Collection[WindowKey], now: datetime.datetime
) -> None:
    """Stores late windows as they are now, and deletes those that are not late any more.

    :param settled: windows that were compared, and are equal.
    :raises StoreError: the database failed.
    """
    retrying = transaction.conflict_retrying()
    with errors.translate_errors("store late windows"):
        for keys in queries.batched(sorted(settled)):
            retrying(_replace, engine, keys, (), now)
        for batch in queries.batched(found):
            retrying(_replace, engine, [late.key for late in batch], batch, now)


def _insert(engine: sa.Engine, found: Sequence[NewLateWindow], now: datetime.datetime) -> None:
    with engine.connect() as connection:
        query = sa.select(late_windows.c.tenant_id, late_windows.c.start)
        starts = {late.window.start for late in found}
        rows = connection.execute(query.where(late_windows.c.start.in_(starts)))
        known = {WindowKey(*row) for row in rows}
    with engine.begin() as connection:
        _add(connection, [late for late in found if late.key not in known], now)


def _replace(
    engine: sa.Engine, keys: Sequence[WindowKey], found: Sequence[NewLateWindow], now: datetime.datetime
) -> None:
    statement = sa.delete(late_windows).where(
        late_windows.c.tenant_id == sa.bindparam("project"),
        late_windows.c.start == sa.bindparam("window_start", type_=types.UTCDateTime),
    )
    with engine.begin() as connection:
        connection.execute(statement, [{"project": key.project_id, "window_start": key.start} for key in keys])
        _add(connection, found, now)


def _add(connection: sa.Connection, found: Sequence[NewLateWindow], now: datetime.datetime) -> None:
    compared = [
        {
            "project": late.project_id,
            "window_start": late.window.start,
            "compared_revision": late.revision,
            "new_samples": late.samples,
            "new_checked": now,
        }
        for late in found
        if late.revision is not None
    ]
    never_collected = [
        {
            "tenant_id": late.project_id,
            "start": late.window.start,
            "end": late.window.end,
            "samples": late.samples,
            "checked": now,
        }
        for late in found
        if late.revision is None
    ]
    if compared:
        connection.execute(_OF_RECEIPT, compared)
    if never_collected:
        connection.execute(sa.insert(late_windows), never_collected)
