# SPDX-License-Identifier: Apache-2.0
"""Periods of stored times in a time zone, as expressions of SQL.

MariaDB has time zones only if an administrator has loaded them, and SQLite has none, so the zone's offsets are part of
the expression.
"""

import datetime
import itertools
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

PERIODS = ("day", "hour", "month")

# Formats with the same result, in each database's syntax. An hour is followed by the offset.
_FORMATS = {
    "mysql": {"hour": "%Y-%m-%dT%H:00:00", "day": "%Y-%m-%d", "month": "%Y-%m"},
    "sqlite": {"hour": "%Y-%m-%dT%H:00:00", "day": "%Y-%m-%d", "month": "%Y-%m"},
    "postgresql": {"hour": 'YYYY-MM-DD"T"HH24":00:00', "day": "YYYY-MM-DD", "month": "YYYY-MM"},
}

# No zone changes its offset twice in this time.
_STEP = datetime.timedelta(days=1)


class Offset(NamedTuple):
    """A zone's offset from UTC, from a moment on."""

    start: datetime.datetime
    offset: datetime.timedelta


def offsets(zone: datetime.tzinfo, start: datetime.datetime, end: datetime.datetime) -> Iterator[Offset]:
    """The offsets that the zone has from ``start`` to ``end``, each with the moment from which it holds."""
    yield Offset(start, _offset(zone, start))
    moments = itertools.takewhile(lambda moment: moment < end, (start + number * _STEP for number in itertools.count()))
    for moment in moments:
        if _offset(zone, moment) != _offset(zone, moment + _STEP):
            change = _change(zone, moment, moment + _STEP)
            yield Offset(change, _offset(zone, change))


def period(
    dialect: str, time: sa.ColumnElement[datetime.datetime], name: str, zone_offsets: list[Offset]
) -> sa.ColumnElement[str]:
    """The day, hour or month of a time, as ISO 8601 text.

    :param name: of :data:`PERIODS`.
    :param zone_offsets: the zone's offsets from the earliest time on.
    """
    labels = [_label(dialect, time, name, offset) for _, offset in zone_offsets]
    if len(labels) == 1:
        return labels[0]
    ends = [time < following.start for following in zone_offsets[1:]]
    return sa.case(*zip(ends, labels[:-1], strict=True), else_=labels[-1])


def _offset(zone: datetime.tzinfo, moment: datetime.datetime) -> datetime.timedelta:
    return moment.astimezone(zone).utcoffset() or datetime.timedelta()


def _change(zone: datetime.tzinfo, low: datetime.datetime, high: datetime.datetime) -> datetime.datetime:
    """The first second of the offset that the zone has at ``high``, and not yet at ``low``."""
    while high - low > datetime.timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == _offset(zone, low) else (low, middle)
    return high


def _label(
    dialect: str, time: sa.ColumnElement[datetime.datetime], name: str, offset: datetime.timedelta
) -> sa.ColumnElement[str]:
    time_format = _FORMATS[dialect][name]
    if name == "hour":
        time_format += _format_offset(offset) + ('"' if dialect == "postgresql" else "")
    literal = sa.literal_column(f"'{time_format}'", sa.String)
    seconds = offset // datetime.timedelta(seconds=1)
    if dialect == "sqlite":
        return sa.func.strftime(literal, time, f"{seconds:+d} seconds", type_=sa.String)
    local: sa.ColumnElement[Any] = time
    if dialect == "mysql":
        if seconds:
            local = sa.func.timestampadd(sa.literal_column("SECOND"), seconds, time)
        return sa.func.date_format(local, literal, type_=sa.String)
    if seconds:
        local = time.op("+", return_type=sa.DateTime())(sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds))
    return sa.func.to_char(local, literal, type_=sa.String)


def _format_offset(offset: datetime.timedelta) -> str:
    """As in ISO 8601: ``+13:00``; ``Z`` for UTC."""
    if not offset:
        return "Z"
    sign, minutes = "-+"[offset > datetime.timedelta()], abs(offset) // datetime.timedelta(minutes=1)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
