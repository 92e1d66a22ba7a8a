# SPDX-License-Identifier: Apache-2.0
"""Parsing of times in the notations of telemetry services."""

import datetime
import os
import time
import unittest
import unittest.mock
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import model


class ParseTimeTest(unittest.TestCase):
    def test_fraction_and_zone_are_optional(self) -> None:
        whole = datetime.datetime(2026, 3, 1, 10, 20, 30, tzinfo=datetime.UTC)
        for value, expected in (
            ("2026-03-01T10:20:30", whole),
            ("2026-03-01 10:20:30", whole),
            ("2026-03-01T10:20:30Z", whole),
            ("2026-03-01T10:20:30+00:00", whole),
            ("2026-03-01T23:20:30+13:00", whole),
            ("2026-03-01T06:50:30-03:30", whole),
            ("2026-03-01T10:20:30.5", whole.replace(microsecond=500000)),
            ("2026-03-01T10:20:30.000001Z", whole.replace(microsecond=1)),
            ("2026-03-01T23:20:30.123456+13:00", whole.replace(microsecond=123456)),
        ):
            with self.subTest(value=value):
                parsed = model.parse_time(value)
                self.assertEqual(expected, parsed)
                self.assertIs(datetime.UTC, parsed.tzinfo)

    def test_local_time_zone_is_ignored(self) -> None:
        self.addCleanup(time.tzset)
        with unittest.mock.patch.dict(os.environ, {"TZ": "Pacific/Auckland"}):
            time.tzset()
            parsed = model.parse_time("2026-03-01T10:20:30")
        self.assertEqual(datetime.datetime(2026, 3, 1, 10, 20, 30, tzinfo=datetime.UTC), parsed)

    def test_invalid_timestamp_raises(self) -> None:
        value: Any
        for value in (
            "",
            "soon",
            "2026-13-01T00:00:00",
            "10:20",
            "1764010112345",
            0,
            1772360430,
            True,
            [],
            {},
            "\0",
            "\ud800",
            "x" * 99,
        ):
            with self.subTest(value=value), self.assertRaises(ValueError):
                model.parse_time(value)

    def test_out_of_range_time_raises(self) -> None:
        for value in ("0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"):
            with self.assertRaises(ValueError):
                model.parse_time(value)

    @hypothesis.given(st.datetimes(timezones=st.timezones() | st.just(datetime.UTC)))
    def test_instant_is_preserved(self, parsed: datetime.datetime) -> None:
        hypothesis.assume(1 < parsed.year < 9999)
        offset = parsed.utcoffset()
        assert offset is not None
        self.assertEqual(
            parsed.replace(tzinfo=None) - offset, model.parse_time(parsed.isoformat()).replace(tzinfo=None)
        )
