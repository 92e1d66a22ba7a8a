# SPDX-License-Identifier: Apache-2.0
"""The aggregates in Gnocchi's answers."""

from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import model
from distil.text import short_repr

_POINT_LENGTH = 3


class Point(NamedTuple):
    """An aggregate.

    :param start: seconds since 1970.
    :param value: a number, unless Gnocchi answered something else.
    """

    start: int
    value: Any


def parse_points(rows: object, period: model.Window, granularity: int) -> Sequence[Point]:
    """Parse the aggregates of one series, by time.

    :param granularity: seconds, of which the period's start and end are multiples.
    :raises ValueError: one is not of the period, or is there twice. The message names it.
    """
    if not isinstance(rows, list):
        raise ValueError(f"Gnocchi's answer has no list of aggregates, but {short_repr(rows)}")  # noqa: TRY004 - as for points
    starts = range(int(period.start.timestamp()), int(period.end.timestamp()), granularity)
    points: dict[int, Point] = {}
    for row in rows:
        point = _parse(row, granularity)
        if point is None or point.start not in starts or point.start in points:
            raise ValueError(f"{short_repr(row)} is not another aggregate of {granularity} s in {period}")
        points[point.start] = point
    return [points[start] for start in sorted(points)]


def _parse(row: Any, granularity: int) -> Point | None:
    if not isinstance(row, list) or len(row) != _POINT_LENGTH or row[1] != granularity:
        return None
    try:
        start = model.parse_time(row[0]).timestamp()
    except ValueError:
        return None
    return Point(int(start), row[2]) if start.is_integer() else None
