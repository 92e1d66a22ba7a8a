# SPDX-License-Identifier: Apache-2.0
"""From aggregates and revisions to samples."""

import time
import unittest
from collections.abc import Sequence
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil.rating import sample_parser
from distil.telemetry.gnocchi.documents import OwnedSeries
from distil.telemetry.gnocchi.documents import ResourceSeries
from distil.telemetry.gnocchi.documents import documents
from distil.telemetry.gnocchi.documents import value_at
from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.gnocchi.meters import Kind
from distil.telemetry.gnocchi.meters import ResourceID
from distil.telemetry.gnocchi.points import Point
from distil.telemetry.gnocchi.revisions import Resource
from distil.telemetry.gnocchi.revisions import Revision
from distil.telemetry.meter_entry import ValueSource
from distil.telemetry.snapshot import Snapshot
from distil.tests.support.strategies import NASTY_TEXTS

FLAVOR = {"flavor": ValueSource(field="flavor_name")}
GAUGE = GnocchiMeter(meter="instance", resource_type="instance", metric="size", metadata=FLAVOR)
DELTA = GnocchiMeter(meter="traffic", resource_type="instance", metric="traffic", metadata=FLAVOR, kind=Kind.DELTA)
LENGTH = 300

_OWNERS = st.tuples(st.sampled_from(("p", "q", None)), st.sampled_from(("small", "large")))
_HISTORIES = st.lists(st.tuples(st.integers(-600, 4200), _OWNERS), min_size=1, max_size=6, unique_by=lambda row: row[0])
_POINTS = st.dictionaries(st.sampled_from(range(0, 3600, LENGTH)), st.integers(0, 100)).map(
    lambda values: [Point(*pair) for pair in sorted(values.items())]
)


def resource(*history: tuple[float, tuple[str | None, Any]], original_id: str = "r") -> Resource:
    """:param history: start, project and flavor of each revision."""
    rows = [
        Revision(float(start), f"{start:+09.1f}", project, {"flavor_name": flavor})
        for start, (project, flavor) in sorted(history, key=lambda row: row[0])
    ]
    return Resource("id", original_id, {}, None, rows)


def samples(
    meter: GnocchiMeter, owner: Resource, points: Sequence[Point], **others: Sequence[Point]
) -> list[tuple[str, dict[str, Any]]]:
    """Project and document of each sample, through the form in which they are kept."""
    series = ResourceSeries(0, meter, owner, "GiB", points, others, LENGTH)
    found = []
    for project_id, owned in series.owned():
        snapshot = Snapshot()
        snapshot.add(project_id, owned)
        snapshot.flush()
        (row,) = snapshot.rows(project_id)
        kept = OwnedSeries.from_row(row)
        found += [(project_id, document) for document in documents(kept, meter, project_id, "gnocchi")]
    return found


def seconds(document: dict[str, Any]) -> int:
    return int(model.parse_time(document["timestamp"]).timestamp())


class ResourceSeriesTest(unittest.TestCase):
    @hypothesis.given(_HISTORIES, _POINTS)
    def test_state_belongs_to_each_revision_in_force(self, history: list[Any], points: list[Point]) -> None:
        rows = sorted(history, key=lambda row: row[0])
        expected = set()
        for point in points:
            starts = [point.start if 0 < start - point.start <= 10 else start for start, _ in rows]
            periods = zip(starts, rows, [*starts[1:], float("inf")], strict=True)
            for number, (start, (_, (project, flavor)), end) in enumerate(periods):
                is_begun = number == 0 or start < point.start + LENGTH
                if is_begun and end > point.start and project is not None:
                    expected.add((project, point.start, float(point.value), flavor))
        found = [
            (project, seconds(document), document["volume"], document["metadata"]["flavor"])
            for project, document in samples(GAUGE, resource(*history), points)
        ]
        self.assertEqual(expected, set(found))
        self.assertEqual(len(expected), len(found))

    @hypothesis.given(_HISTORIES, _POINTS)
    def test_amount_belongs_to_last_revision_in_force(self, history: list[Any], points: list[Point]) -> None:
        rows = sorted(history, key=lambda row: row[0])
        expected = []
        for point in points:
            begun = [row for row in rows if row[0] < point.start + LENGTH] or rows[:1]
            _, (project, flavor) = begun[-1]
            if project is not None:
                expected.append((project, point.start, float(point.value), flavor))
        found = [
            (project, seconds(document), document["volume"], document["metadata"]["flavor"])
            for project, document in samples(DELTA, resource(*history), points)
        ]
        self.assertEqual(sorted(expected), sorted(found))

    def test_thousands_of_revisions_take_seconds(self) -> None:
        owner = resource(*((number / 100, ("p", str(number))) for number in range(2000, 22_000)))
        started = time.monotonic()
        self.assertEqual(20_000, len(samples(GAUGE, owner, [Point(0, 1)])))
        self.assertLess(time.monotonic() - started, 15)

    def test_last_sample_has_last_attributes(self) -> None:
        """Also if they are those of an earlier revision in the same aggregate."""
        owner = resource((0, ("p", "small")), (310, ("p", "large")), (320, ("p", "small")))
        found = sorted(
            (document["id"], document["metadata"]["flavor"]) for _, document in samples(GAUGE, owner, [Point(300, 1)])
        )
        self.assertEqual(["large", "small"], [flavor for _, flavor in found])

    @hypothesis.given(_HISTORIES, _POINTS)
    def test_ids_are_distinct_and_sort_by_revision(self, history: list[Any], points: list[Point]) -> None:
        found = samples(GAUGE, resource(*history), points)
        ids = [document["id"] for _, document in found]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertEqual(found, samples(GAUGE, resource(*history), points))


class DocumentsTest(unittest.TestCase):
    def document(self, meter: GnocchiMeter, owner: Resource, value: Any = 5, **others: Sequence[Point]) -> Any:
        ((_, document),) = samples(meter, owner, [Point(600, value)], **others)
        return document

    def test_document_has_keys_of_ceilometer(self) -> None:
        document = self.document(GAUGE, resource((0, ("p", "small"))))
        expected: dict[str, Any] = {
            "resource_id": "r",
            "project_id": "p",
            "meter": "instance",
            "type": "gauge",
            "unit": "GiB",
        }
        expected |= {"source": "gnocchi", "timestamp": "1970-01-01T00:10:00", "volume": 5}
        expected |= {"metadata": {"flavor": "small"}, "id": "gnocchi/id/size/1970-01-01T00:10:00/+000000.0"}
        self.assertEqual(expected, document)

    def test_entry_overrides_unit_and_volume(self) -> None:
        meter = GnocchiMeter(
            meter="m", resource_type="t", metric="x", unit="hour", volume=ValueSource(codes={"3": 0}, default=1)
        )
        for value, volume in ((3.0, 0), (5, 1)):
            document = self.document(meter, resource((0, ("p", None))), value)
            self.assertEqual((volume, "hour"), (document["volume"], document["unit"]))

    def test_container_id_gets_its_slash(self) -> None:
        meter = GnocchiMeter(meter="m", resource_type="t", metric="x", resource_id=ResourceID.CONTAINER)
        for original, expected in (("p_a_b", "p/a_b"), ("q_a", "q_a"), ("p", "p"), ("p_", "p/")):
            owner = resource((0, ("p", None)), original_id=original)
            self.assertEqual(expected, self.document(meter, owner)["resource_id"])

    def test_value_that_is_no_number_is_kept_for_rejection(self) -> None:
        owner = resource((0, ("p", "small")))
        values: Sequence[Any] = (float("nan"), float("inf"), None, "many", [], {"a": 1})
        for value in values:
            with self.subTest(value):
                document = self.document(GAUGE, owner, value)
                self.assertEqual(repr(value), repr(document["volume"]))
                self.assertIsInstance(sample_parser.parse_sample(document, "p", "instance"), model.Sample)

    def test_attributes_can_be_any_value(self) -> None:
        values: Sequence[Any] = (
            *NASTY_TEXTS,
            5,
            5.5,
            True,
            [1],
            {"a": None},
        )
        for value in values:
            with self.subTest(value):
                flavor = self.document(GAUGE, resource((0, ("p", value))))["metadata"]["flavor"]
                self.assertEqual(str(value), flavor)


class ValueAtTest(unittest.TestCase):
    def test_nearest_before_else_after(self) -> None:
        points = [Point(300, "a"), Point(900, "b")]
        for start, expected in ((0, "a"), (300, "a"), (600, "a"), (900, "b"), (1200, "b")):
            self.assertEqual(expected, value_at(points, start))
        self.assertIsNone(value_at([], 0))
