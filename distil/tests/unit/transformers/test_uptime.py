# SPDX-License-Identifier: Apache-2.0
"""``uptime``: the seconds of the window, divided among an instance's flavors."""

import unittest
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry

SECTIONS = {"uptime": {"tracked_states": ["active", "Shutoff"]}}


def instance(minute: float, flavor: object, status: object = "active", **metadata: Any) -> builders.Document:
    return document(minute, metadata={"instance_type": flavor, "status": status, **metadata})


class UptimeTest(unittest.TestCase):
    def assert_billed(self, expected: dict[str, str], *documents: builders.Document, minutes: int = 60) -> None:
        result = builders.rated(entry("uptime"), documents, SECTIONS, window=builders.window(minutes))
        self.assertEqual([], builders.reasons(result))
        self.assertEqual(
            {(flavor, RESOURCE): Decimal(seconds) for flavor, seconds in expected.items()}, builders.volumes(result)
        )

    def test_single_flavor_bills_whole_window(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1"), instance(2, "c1"))
        self.assert_billed({"c1": "2580"}, instance(1, "c1"), minutes=43)

    def test_flavors_share_window_equally(self) -> None:
        self.assert_billed({"c1": "1800", "c2": "1800"}, instance(1, "c1"), instance(2, "c1"), instance(3, "c2"))

    def test_untracked_flavors_are_ignored(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1"), instance(2, "c2", "building"))

    def test_no_tracked_state_gives_no_usage(self) -> None:
        result = builders.rated(entry("uptime"), [instance(1, "c1", "deleted")], SECTIONS)
        self.assertEqual(((), (), ()), (result.usage, result.resources, result.rejected))

    def test_states_ignore_case(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "ACTIVE"))
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "shutOFF"))

    def test_flavors_are_case_sensitive(self) -> None:
        self.assert_billed({"c1": "1800", "C1": "1800"}, instance(1, "c1"), instance(2, "C1"))

    def test_state_is_used_without_status(self) -> None:
        metadata = {"instance_type": "c1", "state": "active"}
        self.assert_billed({"c1": "3600"}, document(1, metadata=metadata))

    def test_status_overrides_state(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "active", state="deleted"))
        self.assert_billed({}, instance(1, "c1", "deleted", state="active"))

    def test_null_status_is_rejected(self) -> None:
        result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, "c2", None)], SECTIONS)
        self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))
        self.assertIn("status", builders.reasons(result)[0])

    def test_invalid_flavor_is_rejected(self) -> None:
        for flavor in (None, "", "x" * 5000, "c\0", "c\ud800"):
            with self.subTest(flavor=str(flavor)[:5]):
                result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, flavor)], SECTIONS)
                self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))

    def test_prefix_precedes_flavor(self) -> None:
        config = {"prefix": "compute."}
        result = builders.rated(entry("uptime", transformer_config=config), [instance(1, "c1")], SECTIONS)
        self.assertEqual({("compute.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))

    @hypothesis.given(st.integers(1, 100), strategies.windows())
    def test_parts_sum_exactly_and_fit_column(self, flavors: int, minutes: int) -> None:
        documents = [instance(number / 100, f"c{number}") for number in range(flavors)]
        parts = builders.volumes(builders.rated(entry("uptime"), documents, SECTIONS, window=builders.window(minutes)))
        self.assertEqual(flavors, len(parts))
        self.assertEqual(Decimal(minutes * 60), sum(parts.values()))
        self.assertEqual({-10}, {part.as_tuple().exponent for part in parts.values()})
        self.assertLess(max(parts.values()) - min(parts.values()), Decimal("1e-7"))
