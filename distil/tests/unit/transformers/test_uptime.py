# SPDX-License-Identifier: Apache-2.0
"""``uptime``: the seconds of the window, divided among an instance's flavors."""

import unittest
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import NameLookup

UUID = "0c5d1a3e-6f3b-4c7e-9d59-0f2b7a8c4e11"
SECTIONS = {"uptime": {"tracked_states": ["active", "Shutoff"]}}


def instance(minute: float, flavor: object, status: object = "active", **metadata: Any) -> builders.Document:
    return document(minute, metadata={"instance_type": flavor, "status": status, **metadata})


class UptimeTest(unittest.TestCase):
    def assert_billed(
        self,
        expected: dict[str, str],
        *documents: builders.Document,
        minutes: int = 60,
        flavors: NameLookup | None = None,
    ) -> None:
        lookups = Lookups(flavors=flavors or {})
        result = builders.rated(entry("uptime"), documents, SECTIONS, window=builders.window(minutes), lookups=lookups)
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

    def test_state_is_used_for_unknown_status(self) -> None:
        for status in (None, "None", ""):
            self.assert_billed({"c1": "3600"}, instance(1, "c1", status, state="active"))

    def test_status_overrides_state(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1", "active", state="deleted"))
        self.assert_billed({}, instance(1, "c1", "deleted", state="active"))

    def test_null_status_is_rejected(self) -> None:
        result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, "c2", None)], SECTIONS)
        self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))
        self.assertIn("status", builders.reasons(result)[0])

    def test_invalid_flavor_is_rejected(self) -> None:
        for flavor in (None, "None", "", "x" * 5000, "c\0", "c\ud800"):
            with self.subTest(flavor=str(flavor)[:5]):
                result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, flavor)], SECTIONS)
                self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))

    def test_prefix_precedes_flavor(self) -> None:
        config = {"prefix": "compute."}
        result = builders.rated(entry("uptime", transformer_config=config), [instance(1, "c1")], SECTIONS)
        self.assertEqual({("compute.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))

    def test_id_is_billed_as_its_flavor(self) -> None:
        for flavor in (UUID, f"unknown-id-{UUID}"):
            with self.subTest(flavor=flavor):
                self.assert_billed({"c1": "3600"}, instance(1, flavor), instance(2, "c1"), flavors={UUID: "c1"})
                self.assert_billed({"c1": "3600"}, instance(1, flavor), flavors={UUID: "c1"})

    def test_short_id_beside_its_name_is_billed_once(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "42"), instance(2, "c1"), flavors={"42": "c1"})

    def test_name_that_is_another_flavors_id_stays(self) -> None:
        self.assert_billed({"m1": "3600"}, instance(1, "m1"), instance(2, "m1"), flavors={"m1": "m2"})
        self.assert_billed({"c1": "1800", "m1": "1800"}, instance(1, "m1"), instance(2, "c1"), flavors={"m1": "m2"})

    def test_unknown_flavor_id_is_rejected(self) -> None:
        for flavor in (UUID, f"unknown-id-{UUID}", "unknown-id-7", "unknown-id-"):
            with self.subTest(flavor=flavor):
                result = builders.rated(entry("uptime"), [instance(1, "c1"), instance(2, flavor)], SECTIONS)
                self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
                expected = flavor.removeprefix("unknown-id-")
                self.assertEqual(
                    [f"flavor {expected!r} does not exist, so its name cannot be billed"], builders.reasons(result)
                )

    def test_unknown_flavor_of_untracked_state_is_ignored(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1"), instance(2, "unknown-id-7", "deleted"))

    def test_single_name_is_not_looked_up(self) -> None:
        self.assert_billed({"c1": "3600"}, instance(1, "c1"), instance(2, "c1"), flavors=builders.Down())

    def test_unavailable_flavor_lookup_raises(self) -> None:
        for flavors in (["c1", "42"], [UUID]):
            with self.subTest(flavors=flavors), self.assertRaises(exceptions.LookupUnavailable):
                self.assert_billed({}, *(instance(1, flavor) for flavor in flavors), flavors=builders.Down())

    @hypothesis.given(st.integers(1, 100), strategies.windows())
    def test_parts_sum_exactly_and_fit_column(self, flavors: int, minutes: int) -> None:
        documents = [instance(number / 100, f"c{number}") for number in range(flavors)]
        parts = builders.volumes(builders.rated(entry("uptime"), documents, SECTIONS, window=builders.window(minutes)))
        self.assertEqual(flavors, len(parts))
        self.assertEqual(Decimal(minutes * 60), sum(parts.values()))
        self.assertEqual({-10}, {part.as_tuple().exponent for part in parts.values()})
        self.assertLess(max(parts.values()) - min(parts.values()), Decimal("1e-7"))
