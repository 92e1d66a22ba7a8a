# SPDX-License-Identifier: Apache-2.0
"""Reads complete results from a service that supports a limit, but neither a marker nor an offset.

That a response has fewer rows than the limit proves nothing: the service, or a gateway, may cap it. It is whole if
responses are known to hold more rows. If that is unknown, a request with more results finds out; else the next request
continues at the oldest row, and shows whether there is more.
"""

import datetime
import functools
import itertools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil import model
from distil.telemetry.capacity import Capacity
from distil.text import pluralize

LOG = log.getLogger(__name__)

Rows = Sequence[object]
# (period, limit) -> at most ``limit`` rows of the period, newest first.
Fetch = Callable[[model.Window, int], Rows]
# (start, limit) -> at most ``limit`` rows of any project and meter since then, newest first.
FetchNewest = Callable[[datetime.datetime, int], Rows]

_RESOLUTION = datetime.timedelta(microseconds=1)

# Rows to request at least where more than before are to be seen: it need not be repeated for each slightly larger
# response.
_MIN_PROBE_ROWS = 1_000

# How far before a period to look for any rows at all. Those after it are all looked at.
_PROBE_AGE = datetime.timedelta(days=1)


class UnprovenResponse(exceptions.TelemetryError):
    """A response may lack rows, and the rest of the period cannot be requested; fewer projects or meters can.

    :ivar period: what is left to read.
    """

    def __init__(self, message: str, period: model.Window) -> None:
        super().__init__(message)
        self.period = period


class SamplePage(NamedTuple):
    """All rows of a part of a period."""

    period: model.Window
    rows: Rows


class Paginator:
    """Reads the results of one query.

    :param fetch: requests them.
    :param fetch_newest: requests rows of any query, by the same kind of request.
    :param capacity: of this kind of request.
    :param page_size: limit of a request in rows.
    :param description: of the query, for messages.
    """

    def __init__(
        self, fetch: Fetch, fetch_newest: FetchNewest, capacity: Capacity, page_size: int, description: str = ""
    ) -> None:
        self._fetch = fetch
        self._fetch_newest = fetch_newest
        self._capacity = capacity
        self._page_size = page_size
        self._description = description

    def pages(self, period: model.Window) -> Iterator[SamplePage]:
        """Read the whole period, newest part first. The periods of the pages adjoin, so that each row is in one page.

        A response that is not known to be whole may lack rows at and before the time of its oldest one, so only
        strictly newer rows are used, and the next request ends just after the oldest ones. If no such place is found,
        as when all rows have the same time, the limit is doubled, up to the cap.

        :raises UnprovenResponse: all rows of a response that may be capped, or would be too large with more rows, have
            the same time, or they are unordered.
        :raises TelemetryError: the missing rows cannot be determined, or nothing shows that there are rows at all.
        """
        limit = self._page_size
        # Rows of the last response and those of them that the next one repeats; it has more if the last was capped.
        capped: tuple[int, int] | None = None
        while period.start < period.end:
            rows, fitting = _fetch_fitting(functools.partial(self._fetch, period), limit)
            self._capacity.record(len(rows))
            self._page_size = min(self._page_size, fitting)
            if capped and len(rows) > capped[1]:
                self._report_cap(capped[0])
            is_full = len(rows) >= fitting
            if not is_full and self._is_whole(len(rows), period):
                yield SamplePage(period, rows)
                return
            count, middle = _cut([row_time(row) for row in rows], period)
            if count:
                yield SamplePage(model.Window(middle, period.end), rows[:count])
                capped = None if is_full else (len(rows), len(rows) - count)
                period, limit = model.Window(period.start, middle), self._page_size
            elif is_full:
                self._require_order(rows)
                if fitting < limit:
                    raise self._unsplittable(len(rows), period)
                limit *= 2
            else:
                self._require_evidence(rows, period)
                yield SamplePage(period, rows)
                return

    def _is_whole(self, count: int, period: model.Window) -> bool:
        """Whether responses hold more than ``count`` rows: ask the query for a longer period if that is unknown."""
        if not self._capacity.exceeds(count) and self._capacity.may_exceed(count):
            length = period.end - period.start
            longer = model.Window(period.start - length, period.end + length)
            try:
                self._probe(functools.partial(self._fetch, longer), count)
            except exceptions.TelemetryError as error:
                LOG.debug("A request for more samples failed; continuing without it: %s", error)
                self._capacity.limit(count)
        return self._capacity.exceeds(count)

    def _require_evidence(self, rows: Rows, period: model.Window) -> None:
        """Find a response with more rows than this one, of any query: nothing else can show that it is whole."""
        count, start = len(rows), period.start - _PROBE_AGE
        reason = f"no response holds more, not even for all projects and meters since {start}"
        if self._capacity.may_exceed(count):
            try:
                self._probe(functools.partial(self._fetch_newest, start), count)
            except exceptions.TelemetryError as error:
                reason = f"a request for more failed: {error}"
        if not self._capacity.exceeds(count):
            self._report_cap(count)
            raise self._unproven(count, period, reason)

    def _probe(self, fetch: Callable[[int], Rows], count: int) -> None:
        """Request more than ``count`` rows."""
        rows, _ = _fetch_fitting(fetch, max(2 * count, _MIN_PROBE_ROWS), minimum=count + 1)
        self._capacity.record(len(rows))

    def _unproven(self, count: int, period: model.Window, reason: str) -> exceptions.TelemetryError:
        problem = f"whether a response of {pluralize(count, 'sample')} is complete is unknown, and {reason}"
        if count:
            return UnprovenResponse(f"{self._description}: {problem}", period)
        return exceptions.TelemetryError(f"{self._description}: {problem}; does the service have any samples?")

    def _unsplittable(self, count: int, period: model.Window) -> UnprovenResponse:
        return UnprovenResponse(
            f"{self._description}: more than {pluralize(count, 'sample')} of one time are too large for one response;"
            " raise [keystone_authtoken] max_response_bytes",
            period,
        )

    def _require_order(self, rows: Rows) -> None:
        if not _is_newest_first([row_time(row) for row in rows]):
            raise exceptions.TelemetryError(
                f"{self._description}: a full response is not ordered newest first, so the missing samples are unknown"
            )

    def _report_cap(self, count: int) -> None:
        if self._capacity.limit(count) and count:
            LOG.warning(
                "The telemetry service, or a gateway before it, seems to cap its responses at %s, fewer than"
                " requested; reading in smaller parts, which takes more requests: raise its limit. %s",
                pluralize(count, "sample"),
                self._description,
            )


def row_time(row: object) -> datetime.datetime | None:
    """The time of a row; None if it cannot be parsed."""
    if not isinstance(row, Mapping):
        return None
    try:
        return model.parse_time(row["timestamp"])
    except (KeyError, ValueError):
        return None


def _fetch_fitting(fetch: Callable[[int], Rows], limit: int, minimum: int = 1) -> tuple[Rows, int]:
    """Rows and their limit, which is halved as long as the response is too large."""
    try:
        return fetch(limit), limit
    except exceptions.TelemetryError as error:
        if limit <= minimum or not error.is_too_large:
            raise
        LOG.debug("Requesting half as many samples: %s", error)
    return _fetch_fitting(fetch, max(limit // 2, minimum), minimum)


def _cut(times: Sequence[datetime.datetime | None], period: model.Window) -> tuple[int, datetime.datetime]:
    """How many rows of a response to use, and where the rest of the period ends; none if they are not ordered.

    A row without a valid time lies somewhere between its neighbours, so the cut is between two rows with valid times:
    all rows before it are newer than the older of the two, all rows after it are not.
    """
    if not _is_newest_first(times):
        return 0, period.end
    for count in range(len(times) - 1, 0, -1):
        newer, older = times[count - 1], times[count]
        if newer is not None and older is not None and newer > older and older < period.end - _RESOLUTION:
            return count, max(older + _RESOLUTION, period.start)
    return 0, period.end


def _is_newest_first(times: Sequence[datetime.datetime | None]) -> bool:
    valid = [time for time in times if time is not None]
    return all(newer >= older for newer, older in itertools.pairwise(valid))
