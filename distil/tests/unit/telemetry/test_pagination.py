# SPDX-License-Identifier: Apache-2.0
"""Pagination against a service in memory that orders and truncates as Ceilometer does."""

import collections
import dataclasses
import datetime
import functools
import random
import unittest
from typing import Any
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from distil import exceptions
from distil import model
from distil.telemetry import pagination
from distil.telemetry.capacity import Capacity

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = model.Window(START, START + datetime.timedelta(hours=1))


@dataclasses.dataclass
class Service:
    """A service with samples at these times; those numbered in ``unreadable`` are returned with an invalid time.

    :ivar cap: the most rows of a response, whatever the limit.
    :ivar others: samples of other projects since long ago.
    :ivar truncated_conditions: the service cuts times in conditions to milliseconds, as MongoDB does.
    :ivar truncated_times: the service cuts times in responses to seconds.
    """

    times: list[datetime.datetime]
    unreadable: frozenset[int] = frozenset()
    random_source: random.Random = dataclasses.field(default_factory=lambda: random.Random(1))
    cap: int = 1_000_000
    others: int = 0
    limits: list[int] = dataclasses.field(default_factory=list)
    truncated_conditions: bool = False
    truncated_times: bool = False

    def fetch_newest(self, start: datetime.datetime, limit: int) -> list[Any]:
        self.limits.append(limit)
        found = sum(time >= start for time in self.times) + self.others
        return [{}] * min(found, limit, self.cap)

    def fetch(self, period: model.Window, limit: int) -> list[dict[str, Any]]:
        self.limits.append(limit)
        if self.truncated_conditions:
            period = model.Window(*map(to_milliseconds, (period.start, period.end)))
        found = [index for index, time in enumerate(self.times) if time in period]
        self.random_source.shuffle(found)
        found.sort(key=lambda index: self.times[index], reverse=True)
        return [self._row(index) for index in found[: min(limit, self.cap)]]

    def _row(self, index: int) -> dict[str, Any]:
        timestamp = self.times[index].isoformat(timespec="seconds" if self.truncated_times else "auto")
        return {"number": index, "timestamp": "half past two" if index in self.unreadable else timestamp}


def at(*seconds: float) -> list[datetime.datetime]:
    return [START + datetime.timedelta(seconds=offset) for offset in seconds]


def to_milliseconds(time: datetime.datetime) -> datetime.datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def number(row: object) -> int:
    return int(cast(dict[str, Any], row)["number"])


def pages(
    service: Service, page_size: int, period: model.Window = HOUR, capacity: Capacity | None = None, **replaced: Any
) -> list[pagination.SamplePage]:
    fetch = replaced.get("fetch", service.fetch)
    paginator = pagination.Paginator(fetch, service.fetch_newest, capacity or Capacity(), page_size, "cpu of p1")
    return list(paginator.pages(period))


def known(largest: int) -> Capacity:
    """A capacity that is known."""
    capacity = Capacity()
    capacity.record(largest)
    return capacity


def numbers(service: Service, *arguments: Any) -> list[int]:
    return [number(row) for _, rows in pages(service, *arguments) for row in rows]


def lies_in(row: object, period: model.Window) -> bool:
    time = pagination.row_time(row)
    return time is not None and time in period


class PaginationTest(unittest.TestCase):
    @given(
        microseconds=st.lists(st.one_of(st.integers(-3, 12), st.integers(3_599_999_990, 3_600_000_003)), max_size=40),
        unreadable=st.frozensets(st.integers(0, 39)),
        page_size=st.integers(1, 50),
        random_source=st.randoms(use_true_random=False),
    )
    def test_every_sample_is_returned_once(
        self, microseconds: list[int], unreadable: frozenset[int], page_size: int, random_source: random.Random
    ) -> None:
        times = at(*(offset / 1_000_000 for offset in microseconds))
        service = Service(times, unreadable, random_source, others=1_000)
        expected = [index for index, time in enumerate(times) if time in HOUR]
        self.assertEqual(collections.Counter(expected), collections.Counter(numbers(service, page_size)))

    @given(
        seconds=st.lists(st.integers(0, 20), max_size=40),
        page_size=st.integers(1, 50),
        random_source=st.randoms(use_true_random=False),
    )
    def test_rows_lie_within_contiguous_parts(
        self, seconds: list[int], page_size: int, random_source: random.Random
    ) -> None:
        service = Service(at(*seconds), random_source=random_source, others=1_000)
        parts = pages(service, page_size)
        self.assertTrue(all(lies_in(row, part) for part, rows in parts for row in rows))
        self.assertEqual([HOUR.end, *(part.start for part, _ in parts)], [*(part.end for part, _ in parts), HOUR.start])

    def test_partial_page_ends_requests(self) -> None:
        service = Service(at(1, 2, 3))
        numbers(service, 4, HOUR, known(4))
        self.assertEqual([4], service.limits)

    def test_full_page_triggers_another_request(self) -> None:
        service = Service(at(1, 2, 3))
        numbers(service, 3, HOUR, known(4))
        self.assertEqual([3, 3], service.limits)

    def test_crowded_timestamp_doubles_limit(self) -> None:
        service = Service(at(9, *[5] * 7, 1))
        self.assertEqual(9, len(numbers(service, 2)))
        self.assertEqual([2, 2, 4, 8, 2], service.limits)

    def test_milliseconds_in_conditions_suffice(self) -> None:
        service = Service(at(*(number / 1_000 for number in range(300))), truncated_conditions=True, others=1_000)
        self.assertEqual(300, len(set(numbers(service, 100))))

    def test_seconds_in_responses_suffice(self) -> None:
        service = Service(at(*(number / 3 for number in range(300))), truncated_times=True, others=1_000)
        self.assertEqual(300, len(set(numbers(service, 100))))

    def test_empty_period_sends_no_request(self) -> None:
        service = Service(at(0))
        self.assertEqual([], numbers(service, 1, model.Window(START, START)))
        self.assertEqual([], service.limits)

    def test_unordered_full_page_raises(self) -> None:
        service = Service(at(1, 2, 3))
        with self.assertRaisesRegex(exceptions.TelemetryError, "not ordered newest first"):
            pages(service, 3, fetch=lambda period, limit: service.fetch(period, limit)[::-1])

    def test_partial_page_accepts_any_order(self) -> None:
        service = Service(at(1, 2, 3))
        reverse = functools.partial(pages, fetch=lambda period, limit: service.fetch(period, limit)[::-1])
        parts = reverse(service, 4, capacity=known(4))
        self.assertEqual([0, 1, 2], [number(row) for _, rows in parts for row in rows])

    def test_terminates_when_service_ignores_period(self) -> None:
        everything = model.Window(START - datetime.timedelta(days=1), START + datetime.timedelta(days=1))
        service = Service(at(-5, 1, 2, 3601, 3602))
        parts = pages(service, 2, capacity=known(6), fetch=lambda _, limit: service.fetch(everything, limit))
        inside = [number(row) for part, rows in parts for row in rows if lies_in(row, part)]
        self.assertEqual([1, 2], sorted(inside))

    def test_samples_before_period_stay_outside(self) -> None:
        everything = model.Window(START - datetime.timedelta(days=1), START + datetime.timedelta(days=1))
        service = Service(at(-6, -5))
        parts = pages(service, 2, fetch=lambda _, limit: service.fetch(everything, limit))
        self.assertFalse(any(lies_in(row, part) for part, rows in parts for row in rows))


class CapTest(unittest.TestCase):
    @given(
        microseconds=st.lists(st.one_of(st.integers(-3, 12), st.integers(3_599_999_990, 3_600_000_003)), max_size=40),
        unreadable=st.frozensets(st.integers(0, 39), max_size=3),
        page_size=st.integers(1, 50),
        cap=st.integers(1, 45),
        others=st.integers(0, 45),
        random_source=st.randoms(use_true_random=False),
    )
    def test_returns_every_sample_or_raises(
        self,
        microseconds: list[int],
        unreadable: frozenset[int],
        page_size: int,
        cap: int,
        others: int,
        random_source: random.Random,
    ) -> None:
        times = at(*(offset / 1_000_000 for offset in microseconds))
        service = Service(times, unreadable, random_source, cap, others)
        expected = [index for index, time in enumerate(times) if time in HOUR]
        capacity = Capacity()
        for _ in range(3):
            try:
                found = numbers(service, page_size, HOUR, capacity)
            except exceptions.TelemetryError:
                continue
            self.assertEqual(collections.Counter(expected), collections.Counter(found))

    def test_reads_beyond_cap(self) -> None:
        service = Service(at(*range(387)), cap=100)
        with self.assertLogs("distil.telemetry", "WARNING") as logs:
            found = numbers(service, 10_000)
        self.assertEqual(387, len(set(found)))
        self.assertEqual(1, len(logs.output))
        self.assertIn("cap its responses at 100 samples, fewer than requested", logs.output[0])

    def test_honest_service_costs_one_proof(self) -> None:
        service, capacity = Service(at(*range(301), *(3_600 + second for second in range(300)))), Capacity()
        for _ in range(100):
            self.assertEqual(301, len(numbers(service, 10_000, HOUR, capacity)))
        self.assertEqual(101, len(service.limits))

    def test_cap_is_noticed_at_once(self) -> None:
        service, capacity = Service(at(*range(300), *(3_600 + second for second in range(300)))), Capacity()
        for service.cap in (1_000, 100, 150, 128):
            self.assertEqual(300, len(numbers(service, 10_000, HOUR, capacity)))
            capacity.record(10_000)

    def test_same_time_beyond_cap_raises(self) -> None:
        service = Service(at(*[5] * 101), cap=100)
        with self.assertRaisesRegex(
            pagination.UnprovenResponse, "cpu of p1: whether a response of 100 samples is complete"
        ):
            numbers(service, 10_000)

    def test_capped_service_is_probed_once(self) -> None:
        service, capacity = Service(at(*[5] * 100), cap=100, others=1_000), Capacity()
        for _ in range(3):
            self.assertRaises(pagination.UnprovenResponse, numbers, service, 10_000, HOUR, capacity)
        self.assertEqual(5, len(service.limits))

    def test_same_time_below_cap_is_whole(self) -> None:
        self.assertEqual(99, len(numbers(Service(at(*[5] * 99), others=101), 10_000)))

    def test_unordered_capped_response_raises(self) -> None:
        service = Service(at(*range(150)), cap=100)
        with self.assertRaises(exceptions.TelemetryError):
            pages(service, 10_000, fetch=lambda period, limit: service.fetch(period, limit)[::-1])

    def test_capped_queries_are_not_believed(self) -> None:
        service, capacity = Service(at(*range(150)), others=1_000), Capacity()
        self.assertEqual(
            [], numbers(service, 10_000, model.Window(HOUR.end, HOUR.end + (HOUR.end - HOUR.start)), capacity)
        )
        capped = functools.partial(
            pages, fetch=lambda period, limit: service.fetch(period, limit)[:100], capacity=capacity
        )
        self.assertEqual(150, sum(len(rows) for _, rows in capped(service, 10_000)))

    def test_failed_request_ends_belief(self) -> None:
        service = Service(at(*range(150)), cap=99, others=1_000)
        self.assertEqual(99, len(numbers(service, 10_000, HOUR, known(101))))
        capacity = known(101)

        def fail(*_: object) -> list[Any]:
            raise exceptions.TelemetryError("HTTP 503")

        self.assertRaises(exceptions.TelemetryError, pages, service, 10, HOUR, capacity, fetch=fail)
        self.assertEqual(150, len(numbers(service, 10_000, HOUR, capacity)))

    def test_vanished_samples_raise(self) -> None:
        service = Service(at(*range(150)), cap=100)

        def restart(period: model.Window, limit: int) -> list[Any]:
            rows = service.fetch(period, limit)
            service.times = []
            return rows

        with self.assertRaisesRegex(
            exceptions.TelemetryError, "of the samples in a response, a later one, for .* lacks"
        ):
            pages(service, 100, fetch=restart)

    def test_old_samples_suffice_for_idle_cloud(self) -> None:
        service, capacity = Service(at(-90 * 24 * 3600)), Capacity()
        for _ in range(2):
            self.assertEqual([], numbers(service, 10, HOUR, capacity))
        self.assertEqual([10, 1, 1, 10], service.limits)

    def test_empty_response_needs_any_sample(self) -> None:
        self.assertEqual([], numbers(Service([], others=1), 10))
        pattern = "response of 0 samples .* does the service have any"
        with self.assertRaisesRegex(exceptions.TelemetryError, pattern) as caught:
            numbers(Service([]), 10)
        self.assertTrue(caught.exception.affects_all)

    def test_failed_proof_continues_at_oldest(self) -> None:
        def fetch(period: model.Window, limit: int) -> list[Any]:
            if period.start < START:
                raise exceptions.TelemetryError("more than the maximum of bytes")
            return service.fetch(period, limit)

        service = Service(at(1, 2, 3))
        found = [number(row) for _, rows in pages(service, 10, fetch=fetch) for row in rows]
        self.assertEqual([2, 1, 0], found)

    def test_refused_proof_raises(self) -> None:
        def refuse(*_: object) -> list[Any]:
            raise exceptions.TelemetryError("HTTP 403")

        paginator = pagination.Paginator(Service([]).fetch, refuse, Capacity(), 10, "cpu of p1")
        pattern = "cpu of p1: .* a request for more failed: HTTP 403"
        with self.assertRaisesRegex(exceptions.TelemetryError, pattern) as caught:
            list(paginator.pages(HOUR))
        self.assertFalse(caught.exception.affects_all)

    def test_refused_proof_of_samples_divides_query(self) -> None:
        def refuse(*_: object) -> list[Any]:
            raise exceptions.TelemetryError("too large")

        paginator = pagination.Paginator(Service(at(5)).fetch, refuse, Capacity(), 10, "cpu of p1")
        with self.assertRaisesRegex(pagination.UnprovenResponse, "a request for more failed: too large"):
            list(paginator.pages(HOUR))

    def test_own_later_sample_is_proof(self) -> None:
        """The samples of another project may be what makes the service fail."""

        def fail(*_: object) -> list[Any]:
            raise exceptions.TelemetryError("HTTP 500")

        paginator = pagination.Paginator(Service(at(36_000)).fetch, fail, Capacity(), 10, "cpu of p1")
        self.assertEqual([()], [tuple(page.rows) for page in paginator.pages(HOUR)])
