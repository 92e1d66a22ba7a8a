# SPDX-License-Identifier: Apache-2.0
"""The aggregates in Gnocchi's answers."""

import datetime
import functools
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import model
from distil.telemetry.http_client import show_value


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
        raise ValueError(f"Gnocchi's answer has no list of aggregates, but {show_value(rows)}")  # noqa: TRY004 - as for points
    starts = _starts(period, granularity)
    points: dict[int, Point] = {}
    for row in rows:
        try:
            time, length, value = row
            start = starts[model.parse_time(time)]
        except (LookupError, TypeError, ValueError):
            start = None
        if start is None or length != granularity or start in points:
            raise ValueError(f"{show_value(row)} is not another aggregate of {granularity} s in {period}")
        points[start] = Point(start, value)
    return [points[start] for start in sorted(points)]


# Cached: all series of a period have the same.
@functools.lru_cache(maxsize=16)
def _starts(period: model.Window, granularity: int) -> Mapping[datetime.datetime, int]:
    """Seconds since 1970, by time."""
    first, end = int(period.start.timestamp()), int(period.end.timestamp())
    return {datetime.datetime.fromtimestamp(start, datetime.UTC): start for start in range(first, end, granularity)}
