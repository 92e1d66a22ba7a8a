# SPDX-License-Identifier: Apache-2.0
"""Closed periods, whose usage is never changed."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db.models import periods
from distil.db.models import receipts
from distil.db.models import usage_entry


def require_open(connection: sa.Connection, start: datetime.datetime) -> None:
    """Checks that a window begins in no period that is closed or being closed.

    The transaction has to lock the project's row before it calls this: the closing of a period locks it, too, and so
    sees either all or nothing of what the transaction changes.

    :param start: of the window.
    :raises Refused: the period is closed.
    """
    query = sa.select(periods.c.name).where(periods.c.start <= start, periods.c.end > start)
    name = connection.scalar(query.limit(1))
    if name is not None:
        raise exceptions.Refused(
            f"the window that begins at {start:%Y-%m-%dT%H:%M:%SZ} is in period {name}, which is closed: its usage is"
            " never changed"
        )


def with_windows(connection: sa.Connection, project_id: str, after: datetime.datetime | None = None) -> Sequence[str]:
    """The names of the periods, closed or being closed, in which usage or receipts of a project are stored.

    The transaction has to lock the project's row before, as for :func:`require_open`.

    :param after: only of windows that end after it.
    """
    names = set()
    for table in (usage_entry, receipts):
        columns = table.c
        in_period = sa.and_(columns.start >= periods.c.start, columns.start < periods.c.end)
        window = sa.select(columns.start).where(columns.tenant_id == project_id, in_period)
        if after is not None:
            window = window.where(columns.end > after)
        names |= set(connection.scalars(sa.select(periods.c.name).where(window.exists())))
    return sorted(names)


class StoredPeriod(NamedTuple):
    """A period that is closed, or being closed.

    :param closing: since when nothing in it is changed.
    :param closed: None while it is being closed.
    :param pruned: when its usage was deleted on purpose; None if it was not.
    :param digest: of the manifest.
    """

    name: str
    window: model.Window
    closing: datetime.datetime
    closed: datetime.datetime | None
    closed_by: str
    pruned: datetime.datetime | None
    digest: str | None
    manifest: str | None


def list_periods(
    engine: sa.Engine, start: datetime.datetime | None = None, end: datetime.datetime | None = None
) -> Sequence[StoredPeriod]:
    """The periods that are closed or being closed, by their start.

    :param start: only those that end after it.
    :param end: only those that begin before it.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors("read closed periods"), engine.connect() as connection:
        return read_periods(connection, start, end)


def read_periods(
    connection: sa.Connection, start: datetime.datetime | None = None, end: datetime.datetime | None = None
) -> Sequence[StoredPeriod]:
    """As :func:`list_periods`, in the caller's transaction."""
    query = sa.select(periods).order_by(periods.c.start)
    if start is not None:
        query = query.where(periods.c.end > start)
    if end is not None:
        query = query.where(periods.c.start < end)
    return [
        StoredPeriod(
            row.name,
            model.Window(row.start, row.end),
            row.closing,
            row.closed,
            row.closed_by,
            row.pruned,
            row.digest,
            row.manifest,
        )
        for row in connection.execute(query)
    ]
