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
from distil.telemetry.capacity import is_usual_cap
from distil.text import pluralize

LOG = log.getLogger(__name__)

Rows = Sequence[object]
# (period, limit) -> at most ``limit`` rows of the period, newest first.
Fetch = Callable[[model.Window, int], Rows]
# (start, limit) -> at most ``limit`` rows of any project and meter since then, newest first.
FetchNewest = Callable[[datetime.datetime, int], Rows]

# Rows to request at least where more than before are to be seen: it need not be repeated for each slightly larger
# response.
_MIN_PROBE_ROWS = 1_000

# How much longer than a period to look for more rows, before all rows are looked at: it takes the service less time.
_DAY = datetime.timedelta(days=1)
_YEAR = datetime.timedelta(days=365)
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)


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


class _Divided(NamedTuple):
    """A response of which only the newest rows were used.

    :ivar rows: number of its rows.
    :ivar repeated: number of those that the next response repeats.
    :ivar is_short: it had fewer rows than requested. If the next response has more than the repeated ones, a cap is the
        reason.
    """

    rows: int = 0
    repeated: int = 0
    is_short: bool = False


class Paginator:
    """Reads the results of one query.

    :param fetch: requests them.
    :param fetch_newest: requests rows of any query.
    :param capacity: of responses to ``fetch``. A gateway may cap those to ``fetch_newest`` differently.
    :param page_size: limit of a request in rows.
    :param description: of the query, for messages.
    """

    def __init__(
        self,
        fetch: Fetch,
        fetch_newest: FetchNewest,
        capacity: Capacity,
        page_size: int,
        description: str,
    ) -> None:
        self._fetch = fetch
        self._fetch_newest = fetch_newest
        self._capacity = capacity
        self._page_size = page_size
        self._description = description

    def pages(self, period: model.Window) -> Iterator[SamplePage]:
        """Read the whole period, newest part first. The periods of the pages adjoin, so that each row is in one page.

        A response that is not known to be whole may lack rows at and before the time of its oldest one, so only
        strictly newer rows are used, and the next request ends with them and repeats the oldest ones. If no such place
        is found, as when all rows have the same time, the limit is doubled, up to the cap.

        :raises UnprovenResponse: all rows of a response that may be capped, or would be too large with more rows, have
            the same time, or they are unordered.
        :raises TelemetryError: the missing rows cannot be determined, or nothing shows that there are rows at all.
        """
        limit = self._page_size
        previous = _Divided()
        while period.start < period.end:
            rows, fitting = self._request(period, limit)
            is_full = len(rows) >= fitting
            if len(rows) > previous.repeated and previous.is_short:
                self._report_cap(previous.rows)
            elif len(rows) < previous.repeated and not is_full:
                raise self._missing(previous.repeated - len(rows), period)
            if not is_full and self._is_whole(len(rows), period):
                yield SamplePage(period, rows)
                return
            count, middle = _cut([row_time(row) for row in rows], period)
            if count:
                yield SamplePage(model.Window(middle, period.end), rows[:count])
                previous = _Divided(len(rows), len(rows) - count, is_short=not is_full)
                period, limit = model.Window(period.start, middle), self._page_size
            elif is_full:
                self._require_order(rows)
                if fitting < limit:
                    raise self._unsplittable(len(rows), period)
                limit *= 2
            else:
                self._require_evidence(len(rows), period)
                yield SamplePage(period, rows)
                return

    def _request(self, period: model.Window, limit: int) -> tuple[Rows, int]:
        try:
            rows, fitting = _fetch_fitting(functools.partial(self._fetch, period), limit)
        except exceptions.TelemetryError:
            self._capacity.forget()
            raise
        self._capacity.record(len(rows))
        self._page_size = min(self._page_size, fitting)
        return rows, fitting

    def _is_whole(self, count: int, period: model.Window) -> bool:
        """Whether responses hold more than ``count`` rows: ask the query for a longer period if that is unknown."""
        if self._capacity.exceeds(count):
            return True
        return count > 0 and self._longer_exceeds(count, period, period.end - period.start)

    def _longer_exceeds(self, count: int, period: model.Window, extension: datetime.timedelta) -> bool:
        """Whether the query has more than ``count`` rows in a period that is longer at both ends."""
        if not self._capacity.may_exceed(count):
            return False
        longer = model.Window(period.start - extension, period.end + extension)
        limit = max(2 * count, _MIN_PROBE_ROWS)
        try:
            rows, _ = _fetch_fitting(functools.partial(self._fetch, longer), limit, minimum=count + 1)
        except exceptions.TelemetryError as error:
            LOG.debug("A request for more samples failed; continuing without it: %s", error)
            self._capacity.limit(count)
            return False
        self._capacity.record(len(rows))
        return len(rows) > count

    def _require_evidence(self, count: int, period: model.Window) -> None:
        """Find a reason to take a response for whole that no other is known to exceed, and that cannot be divided.

        Of a usual cap, only the same query with more rows is one: a gateway may cap only some queries.
        """
        problem = f"whether a response of {pluralize(count, 'sample')} is complete is unknown"
        if is_usual_cap(count):
            if not self._longer_exceeds(count, period, _DAY):
                self._report_cap(count)
                raise self._unproven(count, period, f"{problem}: all have the same time, and no response has more")
            return
        if not self._any_exceed(count, period, problem):
            self._report_cap(count)
            raise self._unproven(
                count, period, f"{problem}: no response has more, not even for all projects and meters"
            )
        self._capacity.record(count + 1)

    def _any_exceed(self, count: int, period: model.Window, problem: str) -> bool:
        """Whether there are more than ``count`` rows of any query, looked for from a day before the period on first."""
        if count and not self._capacity.may_exceed(count):
            return False
        try:
            return any(len(self._fetch_newest(start, count + 1)) > count for start in (period.start - _DAY, _EPOCH))
        except exceptions.TelemetryError as error:
            # The samples of one project may be what makes the service fail. The query's own ones prove as much.
            if self._longer_exceeds(count, period, _YEAR):
                return True
            message = f"{self._description}: {problem}: a request for more failed: {error}"
            raise (UnprovenResponse(message, period) if count else exceptions.TelemetryError(message)) from error

    def _unproven(self, count: int, period: model.Window, problem: str) -> exceptions.TelemetryError:
        if count:
            return UnprovenResponse(f"{self._description}: {problem}", period)
        reason = f"{problem}; does the service have any samples?"
        return exceptions.TelemetryError(reason, request=self._description, affects_all=True)

    def _missing(self, count: int, period: model.Window) -> exceptions.TelemetryError:
        return exceptions.TelemetryError(
            f"{self._description}: of the samples in a response, a later one, for {period}, lacks {count}; do all"
            " servers of the telemetry service have the same samples, and limits?"
        )

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

    A row without a valid time lies somewhere between its neighbours, so the cut is between two rows with valid times,
    and at the newer of the two: no rows lie between them. A time just after the older one would not do, because a
    service may cut conditions, or the times in its responses, to milliseconds or seconds.
    """
    if not _is_newest_first(times):
        return 0, period.end
    for count in range(len(times) - 1, 0, -1):
        newer, older = times[count - 1], times[count]
        if newer is not None and older is not None and period.end > newer > older:
            return count, max(newer, period.start)
    return 0, period.end


def _is_newest_first(times: Sequence[datetime.datetime | None]) -> bool:
    valid = [time for time in times if time is not None]
    return all(newer >= older for newer, older in itertools.pairwise(valid))
