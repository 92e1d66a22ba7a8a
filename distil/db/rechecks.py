# SPDX-License-Identifier: Apache-2.0
"""Rechecks: the periods that were compared with what the telemetry service holds."""

import datetime
import enum
from typing import NamedTuple

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db.models import rechecks


class RecheckMethod(enum.StrEnum):
    """What was compared."""

    COUNTS = "counts"
    DIGESTS = "digests"


class NewRecheck(NamedTuple):
    """A period of which every window was compared.

    :param telemetry: name of the driver and region of its service.
    :param windows: number of windows that were compared.
    :param late: number of windows of which the telemetry service holds other samples than were collected.
    """

    period: model.Window
    collector: str
    telemetry: str
    method: RecheckMethod
    windows: int
    late: int


def insert(engine: sa.Engine, recheck: NewRecheck, now: datetime.datetime) -> None:
    """Stores that a period was compared.

    :raises StoreError: the database failed.
    """
    row = {
        "start": recheck.period.start,
        "end": recheck.period.end,
        "collector": recheck.collector,
        "telemetry": recheck.telemetry,
        "method": recheck.method.value,
        "windows": recheck.windows,
        "late": recheck.late,
        "checked": now,
    }
    with errors.translate_errors("store a recheck"), engine.begin() as connection:
        connection.execute(sa.insert(rechecks), row)


def last_unchecked(
    engine: sa.Engine, telemetry: str, period: model.Window, age: datetime.timedelta
) -> model.Window | None:
    """The last part of a period that was not compared when it was as old; None if there is none.

    :param telemetry: only rechecks with this service count.
    :param age: from the end of what was compared to the comparison.
    :raises StoreError: the database failed.
    """
    columns = rechecks.c
    query = sa.select(columns.start, columns.end, columns.checked).where(
        columns.telemetry == telemetry, columns.start < period.end, columns.end > period.start
    )
    with errors.translate_errors("read rechecks"), engine.connect() as connection:
        rows = connection.execute(query.order_by(columns.end.desc())).all()
    end = period.end
    for row in rows:
        if row.checked - row.end < age:
            continue
        if row.end < end:
            return model.Window(row.end, end)
        end = min(end, row.start)
    return model.Window(period.start, end) if period.start < end else None
