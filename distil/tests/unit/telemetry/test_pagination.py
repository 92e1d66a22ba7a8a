# SPDX-License-Identifier: Apache-2.0
"""Pagination against a service in memory that orders and truncates as Ceilometer does."""

import collections
import dataclasses
import datetime
import random
import unittest
from typing import Any
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from distil import exceptions
from distil import model
from distil.telemetry import pagination

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = model.Window(START, START + datetime.timedelta(hours=1))


@dataclasses.dataclass
class Service:
    """A service with samples at these times; those numbered in ``unreadable`` are returned with an invalid time."""

    times: list[datetime.datetime]
    unreadable: frozenset[int] = frozenset()
    random_source: random.Random = dataclasses.field(default_factory=lambda: random.Random(1))
    limits: list[int] = dataclasses.field(default_factory=list)

    def fetch(self, period: model.Window, limit: int) -> list[dict[str, Any]]:
        self.limits.append(limit)
        found = [index for index, time in enumerate(self.times) if time in period]
        self.random_source.shuffle(found)
        found.sort(key=lambda index: self.times[index], reverse=True)
        return [self._row(index) for index in found[:limit]]

    def _row(self, index: int) -> dict[str, Any]:
        timestamp = "half past two" if index in self.unreadable else self.times[index].isoformat()
        return {"number": index, "timestamp": timestamp}


def at(*seconds: float) -> list[datetime.datetime]:
    return [START + datetime.timedelta(seconds=offset) for offset in seconds]


def number(row: object) -> int:
    return int(cast(dict[str, Any], row)["number"])


def numbers(service: Service, page_size: int, period: model.Window = HOUR) -> list[int]:
    return [number(row) for _, rows in pagination.pages(service.fetch, period, page_size) for row in rows]


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
        service = Service(times, unreadable, random_source)
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
        service = Service(at(*seconds), random_source=random_source)
        parts = list(pagination.pages(service.fetch, HOUR, page_size))
        self.assertTrue(all(lies_in(row, part) for part, rows in parts for row in rows))
        self.assertEqual([HOUR.end, *(part.start for part, _ in parts)], [*(part.end for part, _ in parts), HOUR.start])

    def test_partial_page_ends_requests(self) -> None:
        service = Service(at(1, 2, 3))
        numbers(service, 4)
        self.assertEqual([4], service.limits)

    def test_full_page_triggers_another_request(self) -> None:
        service = Service(at(1, 2, 3))
        numbers(service, 3)
        self.assertEqual([3, 3], service.limits)

    def test_crowded_timestamp_doubles_limit(self) -> None:
        service = Service(at(9, *[5] * 7, 1))
        self.assertEqual(9, len(numbers(service, 2)))
        self.assertEqual([2, 2, 4, 8, 2], service.limits)

    def test_empty_period_sends_no_request(self) -> None:
        service = Service(at(0))
        self.assertEqual([], numbers(service, 1, model.Window(START, START)))
        self.assertEqual([], service.limits)

    def test_unordered_full_page_raises(self) -> None:
        service = Service(at(1, 2, 3))
        with self.assertRaisesRegex(exceptions.TelemetryError, "not ordered newest first"):
            list(pagination.pages(lambda period, limit: service.fetch(period, limit)[::-1], HOUR, 3))

    def test_partial_page_accepts_any_order(self) -> None:
        service = Service(at(1, 2, 3))
        parts = list(pagination.pages(lambda period, limit: service.fetch(period, limit)[::-1], HOUR, 4))
        self.assertEqual([0, 1, 2], [number(row) for _, rows in parts for row in rows])

    def test_terminates_when_service_ignores_period(self) -> None:
        everything = model.Window(START - datetime.timedelta(days=1), START + datetime.timedelta(days=1))
        service = Service(at(-5, 1, 2, 3601, 3602))
        parts = list(pagination.pages(lambda _, limit: service.fetch(everything, limit), HOUR, 2))
        inside = [number(row) for part, rows in parts for row in rows if lies_in(row, part)]
        self.assertEqual([1, 2], sorted(inside))
