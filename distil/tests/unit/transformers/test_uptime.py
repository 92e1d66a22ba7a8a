# SPDX-License-Identifier: Apache-2.0
"""uptime: the window's seconds, shared out among an instance's flavors."""

import unittest
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil.tests.unit import builders
from distil.tests.unit import strategies
from distil.tests.unit.builders import RESOURCE
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry

SECTIONS = {"uptime": {"tracked_states": ["active", "Shutoff"]}}


def instance(minute: float, flavor: object, status: object = "active", **metadata: Any) -> builders.Document:
    return document(minute, metadata={"instance_type": flavor, "status": status, **metadata})


class TestUptime(unittest.TestCase):
    def assert_billed(self, expected: dict[str, str], *documents: builders.Document, minutes: int = 60) -> None:
        result = builders.rated(entry("uptime"), documents, SECTIONS, window=builders.window(minutes))
        self.assertEqual([], builders.reasons(result))
        self.assertEqual(
            {(flavor, RESOURCE): Decimal(seconds) for flavor, seconds in expected.items()}, builders.volumes(result)
        )

    def test_one_flavor_has_the_whole_window(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1"), instance(2, "c1"))
        self.assert_billed({"c1": "2580"}, instance(1, "c1"), minutes=43)

    def test_several_flavors_share_the_window_equally(self) -> None:
        self.assert_billed({"c1": "1800", "c2": "1800"}, instance(1, "c1"), instance(2, "c1"), instance(3, "c2"))

    def test_flavors_of_untracked_states_do_not_count(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1"), instance(2, "c2", "building"))

    def test_without_a_tracked_state_there_is_no_usage(self) -> None:
        result = builders.rated(entry("uptime"), [instance(1, "c1", "deleted")], SECTIONS)
        self.assertEqual(((), (), ()), (result.usage, result.resources, result.rejected))

    def test_case_does_not_matter_in_states(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "ACTIVE"))
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "shutOFF"))

    def test_case_matters_in_flavors(self) -> None:
        self.assert_billed({"c1": "1800", "C1": "1800"}, instance(1, "c1"), instance(2, "C1"))

    def test_the_state_counts_where_there_is_no_status(self) -> None:
        metadata = {"instance_type": "c1", "state": "active"}
        self.assert_billed({"c1": "3600"}, document(1, metadata=metadata))

    def test_the_status_wins_over_the_state(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "active", state="deleted"))
        self.assert_billed({}, instance(1, "c1", "deleted", state="active"))

    def test_a_null_status_is_rejected_and_the_others_are_billed(self) -> None:
        result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, "c2", None)], SECTIONS)
        self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))
        self.assertIn("status", builders.reasons(result)[0])

    def test_a_flavor_that_cannot_be_billed_is_rejected_and_the_others_are_billed(self) -> None:
        for flavor in (None, "", "x" * 5000, "c\0", "c\ud800"):
            with self.subTest(flavor=str(flavor)[:5]):
                result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, flavor)], SECTIONS)
                self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))

    def test_the_prefix_is_put_before_the_flavor(self) -> None:
        config = {"prefix": "compute."}
        result = builders.rated(entry("uptime", transformer_config=config), [instance(1, "c1")], SECTIONS)
        self.assertEqual({("compute.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))

    @strategies.PROPERTY
    @hypothesis.given(st.integers(1, 100), strategies.windows())
    def test_equal_parts_sum_to_the_whole_and_fit_the_column(self, flavors: int, minutes: int) -> None:
        documents = [instance(number / 100, f"c{number}") for number in range(flavors)]
        parts = builders.volumes(builders.rated(entry("uptime"), documents, SECTIONS, window=builders.window(minutes)))
        self.assertEqual(flavors, len(parts))
        self.assertEqual(Decimal(minutes * 60), sum(parts.values()))
        self.assertEqual({-10}, {part.as_tuple().exponent for part in parts.values()})
        self.assertLess(max(parts.values()) - min(parts.values()), Decimal("1e-7"))
