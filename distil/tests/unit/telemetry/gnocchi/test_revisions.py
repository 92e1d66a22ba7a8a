# SPDX-License-Identifier: Apache-2.0
"""Which resources and revisions a period has, and which revisions are in force."""

import math
import unittest
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil.telemetry.gnocchi.revisions import MalformedResource
from distil.telemetry.gnocchi.revisions import Resource
from distil.telemetry.gnocchi.revisions import find_resources
from distil.telemetry.gnocchi.revisions import in_force
from distil.tests.support.gnocchi_model import HOUR
from distil.tests.support.gnocchi_model import GnocchiModel
from distil.tests.support.gnocchi_model import at
from distil.tests.support.gnocchi_model import revisions

# Minutes around the hour, and as far from it as matters.
_MINUTES = st.sampled_from((-1000.0, -1.0, 0.0, 0.5, 1.0, 30.0, 59.5, 60.0, 61.0, 1499.0, 1500.0, 5000.0))
_HISTORIES = st.lists(st.lists(_MINUTES, min_size=1, max_size=6, unique=True).map(sorted), max_size=6)


def found(rows: Sequence[Mapping[str, Any]], cap: int = 1000, *attributes: str) -> list[Resource | MalformedResource]:
    return list(find_resources(GnocchiModel(rows, cap=cap), "instance", attributes, HOUR))


def only(rows: Sequence[Mapping[str, Any]]) -> Resource:
    (resource,) = found(rows)
    assert isinstance(resource, Resource)
    return resource


class FindResourcesTest(unittest.TestCase):
    @hypothesis.given(_HISTORIES, st.integers(1, 8))
    def test_any_page_size_finds_each_revision_once(self, histories: list[list[float]], cap: int) -> None:
        rows = [row for number, starts in enumerate(histories) for row in revisions(f"id{number}", *starts)]
        expected = {
            (row["id"], row["revision_start"])
            for row in rows
            if row["revision_start"] < at(60 + 24 * 60) and (not row["revision_end"] or row["revision_end"] > at(0))
        }
        resources = found(rows, cap)
        pairs = [
            (resource.id, revision.start_text)
            for resource in resources
            if isinstance(resource, Resource)
            for revision in resource.revisions
        ]
        self.assertEqual(sorted(expected), pairs)
        self.assertEqual(len({resource.id for resource in resources}), len(resources))

    def test_resource_that_ended_before_is_left_out(self) -> None:
        for ended, count in ((-0.1, 0), (0, 1), (30, 1)):
            with self.subTest(ended=ended):
                rows = [row | {"ended_at": at(ended)} for row in revisions("a", -60)]
                self.assertEqual(count, len(found(rows)))

    def test_pages_end_with_an_empty_one(self) -> None:
        for rows, cap, expected in ((0, 5, 1), (5, 5, 2), (6, 5, 3)):
            gnocchi = GnocchiModel([row for i in range(rows) for row in revisions(f"id{i}", -60)], cap=cap)
            list(find_resources(gnocchi, "instance", (), HOUR))
            self.assertEqual(["search instance"] * expected, gnocchi.requests)

    def test_requested_attributes_are_kept(self) -> None:
        (resource,) = found(revisions("a", -60, 30, flavor=["small", "large"]), 1000, "flavor")
        assert isinstance(resource, Resource)
        self.assertEqual(["small", "large"], [revision.attributes["flavor"] for revision in resource.revisions])

    def test_unknown_attribute_affects_all(self) -> None:
        with self.assertRaisesRegex(exceptions.TelemetryError, "type instance has no attribute flavor, size") as caught:
            found(revisions("a", -60), 1000, "size", "flavor")
        self.assertTrue(caught.exception.affects_all)

    def test_missing_project_is_that_of_a_neighbour(self) -> None:
        cases = {
            (None, "p", None, "q"): ["p", "p", "q", "q"],
            ("p", None): ["p", "p"],
            ("p", "", 7): ["p", "p", "p"],
            (None, None): [None, None],
        }
        for projects, expected in cases.items():
            with self.subTest(projects):
                resource = only(revisions("a", *range(len(projects)), project_id=projects))
                self.assertEqual(expected, [revision.project_id for revision in resource.revisions])

    def test_malformed_resource_affects_its_projects(self) -> None:
        changes: Sequence[dict[str, Any]] = (
            {"metrics": None},
            {"metrics": {"m": 5}},
            {"ended_at": 7, "revision_end": None},
            {"original_resource_id": ["x"]},
        )
        for change in changes:
            with self.subTest(change):
                rows = [dict(row) for row in revisions("a", -60, 30, project_id=["p", "q"])]
                gnocchi = GnocchiModel(rows)
                rows[-1] |= change
                gnocchi.search_history = lambda *_, rows=rows, **__: [rows.pop(0)] if rows else []  # type: ignore[method-assign]
                (resource,) = find_resources(gnocchi, "instance", (), HOUR)
                assert isinstance(resource, MalformedResource)
                self.assertEqual({"p", "q"}, set(resource.projects))

    def test_unusable_rows_affect_all(self) -> None:
        good = revisions("b", -60)[0]
        for rows in (
            [5],
            [good | {"id": None}],
            [good | {"revision_start": "soon"}],
            [good | {"revision_start": None}],
            [good, good],
            [good, good | {"id": "a"}],
            [good, good | {"revision_start": at(-61)}],
        ):
            with self.subTest(rows):
                gnocchi = GnocchiModel()
                gnocchi.search_history = lambda *_, rows=rows, **__: rows  # type: ignore[method-assign]
                with self.assertRaises(exceptions.TelemetryError):
                    list(find_resources(gnocchi, "instance", (), HOUR))

    def test_id_replaces_missing_original_id(self) -> None:
        self.assertEqual("a", only([row | {"original_resource_id": None} for row in revisions("a", 0)]).original_id)


class InForceTest(unittest.TestCase):
    @hypothesis.given(
        st.lists(st.integers(0, 500), min_size=1, max_size=10, unique=True).map(sorted),
        st.integers(-50, 600),
        st.integers(1, 200),
    )
    def test_revisions_overlap_exactly(self, starts: list[int], start: int, length: int) -> None:
        begun = [start if start < begin <= start + min(10, length / 2) else begin for begin in starts]
        ends = [*begun[1:], math.inf]
        expected = [
            number
            for number, (begin, end) in enumerate(zip([-math.inf, *begun[1:]], ends, strict=True))
            if begin < start + length and end > start
        ]
        self.assertEqual(expected, list(in_force(starts, start, start + length)))
        self.assertTrue(expected)

    def test_change_told_late_counts_from_start(self) -> None:
        for second, expected in ((0, [1]), (0.3, [1]), (10, [1]), (10.1, [0, 1]), (299, [0, 1]), (300, [0])):
            with self.subTest(second):
                self.assertEqual(expected, list(in_force([-900, second], 0, 300)))

    def test_last_of_changes_at_start_counts(self) -> None:
        self.assertEqual([2, 3], list(in_force([-900, 0.2, 0.4, 60], 0, 300)))
