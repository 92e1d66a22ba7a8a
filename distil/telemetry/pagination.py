# SPDX-License-Identifier: Apache-2.0
"""Whole answers from a service that knows a limit, but neither a marker nor an offset."""

import datetime
import itertools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from distil import exceptions
from distil import model

Rows = Sequence[object]
Ask = Callable[[model.Window, int], Rows]

_RESOLUTION = datetime.timedelta(microseconds=1)


def pages(ask: Ask, period: model.Window, page_size: int, about: str = "") -> Iterator[tuple[model.Window, Rows]]:
    """Ask until the whole period is answered, newest part first.

    An answer with fewer rows than the limit is whole. A full one may have been cut anywhere among its oldest rows, so
    only what is strictly newer than them is taken, and the next question ends just after them. Where no such place
    is found, as when all rows have one timestamp, the same is asked again with twice the limit.

    :param ask: answers (period, limit) with at most ``limit`` rows of the period, newest first.
    :param about: what is asked for, for messages.
    :return: each part of the period with its rows; a row is in one part only.
    :raises TelemetryError: a full page is not ordered newest first, so that nothing is known of what it leaves out.
    """
    limit = page_size
    while period.start < period.end:
        rows = ask(period, limit)
        if len(rows) < limit:
            yield period, rows
            return
        moments = [moment(row) for row in rows]
        if not _newest_first(moments):
            raise exceptions.TelemetryError(
                f"{about}: a full page is not ordered newest first, so that what it leaves out cannot be asked for"
            )
        taken, middle = _cut(moments, period)
        if not taken:
            limit *= 2
            continue
        yield model.Window(middle, period.end), rows[:taken]
        period = model.Window(period.start, middle)
        limit = page_size


def moment(row: object) -> datetime.datetime | None:
    """The time of a row, None where it cannot be read."""
    if not isinstance(row, Mapping):
        return None
    try:
        return model.parse_time(row["timestamp"])
    except (KeyError, ValueError):
        return None


def _cut(moments: Sequence[datetime.datetime | None], period: model.Window) -> tuple[int, datetime.datetime]:
    """How many rows of a full page to take, and where the rest of the period ends.

    A row whose time cannot be read lies somewhere between its neighbours, so that the cut goes between two readable
    ones: everything before it is newer than the older of them, everything after it is not.
    """
    for taken in range(len(moments) - 1, 0, -1):
        newer, older = moments[taken - 1], moments[taken]
        if newer is not None and older is not None and newer > older and older < period.end - _RESOLUTION:
            return taken, max(older + _RESOLUTION, period.start)
    return 0, period.end


def _newest_first(moments: Sequence[datetime.datetime | None]) -> bool:
    readable = [each for each in moments if each is not None]
    return all(newer >= older for newer, older in itertools.pairwise(readable))
