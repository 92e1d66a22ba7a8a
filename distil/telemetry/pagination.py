# SPDX-License-Identifier: Apache-2.0
"""Reads complete results from a service that supports a limit, but neither a marker nor an offset."""

import datetime
import itertools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil import exceptions
from distil import model

Rows = Sequence[object]
# (period, limit) -> at most ``limit`` rows of the period, newest first.
Fetch = Callable[[model.Window, int], Rows]

_RESOLUTION = datetime.timedelta(microseconds=1)


class SamplePage(NamedTuple):
    """All rows of a part of a period."""

    period: model.Window
    rows: Rows


def pages(fetch: Fetch, period: model.Window, page_size: int, description: str = "") -> Iterator[SamplePage]:
    """Read the whole period, newest part first. The periods of the pages adjoin, so that each row is in one page.

    A response with fewer rows than the limit is complete. A full one may be truncated anywhere among its oldest rows,
    so only strictly newer rows are used, and the next request ends just after the oldest ones. If no such place is
    found, as when all rows have the same time, the request is repeated with twice the limit.

    :param description: description of the query, for messages.
    :raises TelemetryError: a full response is not ordered newest first, so the missing rows cannot be determined.
    """
    limit = page_size
    while period.start < period.end:
        rows = fetch(period, limit)
        if len(rows) < limit:
            yield SamplePage(period, rows)
            return
        times = [row_time(row) for row in rows]
        if not _is_newest_first(times):
            raise exceptions.TelemetryError(
                f"{description}: a full response is not ordered newest first, so the missing samples are unknown"
            )
        count, middle = _cut(times, period)
        if not count:
            limit *= 2
            continue
        yield SamplePage(model.Window(middle, period.end), rows[:count])
        period = model.Window(period.start, middle)
        limit = page_size


def row_time(row: object) -> datetime.datetime | None:
    """The time of a row; None if it cannot be parsed."""
    if not isinstance(row, Mapping):
        return None
    try:
        return model.parse_time(row["timestamp"])
    except (KeyError, ValueError):
        return None


def _cut(times: Sequence[datetime.datetime | None], period: model.Window) -> tuple[int, datetime.datetime]:
    """How many rows of a full response to use, and where the rest of the period ends.

    A row without a valid time lies somewhere between its neighbours, so the cut is between two rows with valid times:
    all rows before it are newer than the older of the two, all rows after it are not.
    """
    for count in range(len(times) - 1, 0, -1):
        newer, older = times[count - 1], times[count]
        if newer is not None and older is not None and newer > older and older < period.end - _RESOLUTION:
            return count, max(older + _RESOLUTION, period.start)
    return 0, period.end


def _is_newest_first(times: Sequence[datetime.datetime | None]) -> bool:
    valid = [time for time in times if time is not None]
    return all(newer >= older for newer, older in itertools.pairwise(valid))
