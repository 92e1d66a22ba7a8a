# SPDX-License-Identifier: Apache-2.0
"""Queries for samples, and parsing of the rows that match them."""

import datetime
import unittest
from typing import Any

from distil import model
from distil.exceptions import RejectionReason
from distil.telemetry.query import SampleQuery

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = model.Window(START, START + datetime.timedelta(hours=1))
ONE = SampleQuery(frozenset({"p1"}), frozenset({"cpu"}))
MANY = SampleQuery(frozenset({"p1", "p2"}), frozenset({"cpu", "disk"}))


def row(**changes: Any) -> dict[str, Any]:
    """:param changes: ``...`` removes a key."""
    document: dict[str, Any] = {"project_id": "p1", "meter": "cpu", "resource_id": "r1", "volume": 1.0, "unit": "%"}
    document |= {"timestamp": "2026-01-01T00:10:00", "source": "openstack", "metadata": {}, **changes}
    return {key: value for key, value in document.items() if value is not ...}


class ParseRowTest(unittest.TestCase):
    def test_matching_row_returns_sample(self) -> None:
        sample = MANY.parse_row(row(project_id="p2", meter="disk"), HOUR)
        self.assertIsInstance(sample, model.Sample)
        self.assertEqual(("p2", "disk"), (sample.project_id, sample.meter))  # type: ignore[union-attr]

    def test_row_outside_query_returns_none(self) -> None:
        unmatched = (
            row(project_id="p3"),
            row(meter="CPU"),
            row(timestamp="2026-01-01T01:00:00"),
            row(timestamp="2025-12-31T23:59:59.999999"),
            row(timestamp="2026-01-01T01:00:00", resource_id=None),
        )
        for other in unmatched:
            with self.subTest(other=other):
                self.assertIsNone(MANY.parse_row(other, HOUR))

    def test_period_includes_start_and_last_microsecond(self) -> None:
        self.assertIsNotNone(ONE.parse_row(row(timestamp="2026-01-01T00:00:00"), HOUR))
        self.assertIsNotNone(ONE.parse_row(row(timestamp="2026-01-01T00:59:59.999999"), HOUR))

    def test_missing_project_and_meter_are_inferred(self) -> None:
        missing_values: tuple[Any, ...] = (..., None, "", 7, [])
        for missing in missing_values:
            with self.subTest(missing=missing):
                sample = ONE.parse_row(row(project_id=missing, meter=missing), HOUR)
                self.assertIsInstance(sample, model.Sample)
                self.assertEqual(("p1", "cpu"), (sample.project_id, sample.meter))  # type: ignore[union-attr]

    def test_ambiguous_project_or_meter_is_rejected(self) -> None:
        incomplete = row(project_id=None)
        rejected = model.RejectedSample(
            "", "cpu", "r1", "project_id is missing", incomplete, RejectionReason.PROJECT_ID
        )
        self.assertEqual(rejected, MANY.parse_row(incomplete, HOUR))
        incomplete = row(meter=...)
        rejected = model.RejectedSample("p1", "", "r1", "meter is missing", incomplete, RejectionReason.METER)
        self.assertEqual(rejected, MANY.parse_row(incomplete, HOUR))

    def test_non_mapping_row_is_rejected(self) -> None:
        invalid_rows: tuple[Any, ...] = (None, 1, "sample", [])
        for invalid in invalid_rows:
            with self.subTest(invalid=invalid):
                self.assertIsInstance(ONE.parse_row(invalid, HOUR), model.RejectedSample)
                self.assertIsInstance(MANY.parse_row(invalid, HOUR), model.RejectedSample)

    def test_invalid_timestamp_is_rejected(self) -> None:
        rejected = MANY.parse_row(row(timestamp="yesterday"), HOUR)
        self.assertIsInstance(rejected, model.RejectedSample)
        self.assertIn("yesterday", rejected.reason)  # type: ignore[union-attr]


class SampleQueryTest(unittest.TestCase):
    def test_split_covers_every_project_and_meter(self) -> None:
        pairs = {(*part.projects, *part.meters) for part in MANY.split()}
        self.assertEqual({("p1", "cpu"), ("p1", "disk"), ("p2", "cpu"), ("p2", "disk")}, pairs)

    def test_string_truncates_long_name_list(self) -> None:
        query = SampleQuery(frozenset(f"p{number}" for number in range(5)), frozenset({"cpu"}))
        self.assertEqual("project p0, p1, p2 and 2 more, meter cpu", str(query))
