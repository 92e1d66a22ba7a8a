# SPDX-License-Identifier: Apache-2.0
"""How many samples were used, and by what the others are counted."""

import unittest
from typing import Any

from distil.exceptions import Flaw
from distil.tests.unit import builders
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry


class UsedTest(unittest.TestCase):
    def used(self, entries: Any, *documents: builders.Document) -> int:
        return builders.rated(entries, documents).used

    def test_every_sample_of_a_resource_that_is_billed_is_used(self) -> None:
        self.assertEqual(3, self.used(entry("max"), document(1), document(2), document(3, resource_id="r2")))

    def test_one_that_two_mappings_bill_by_is_used_once(self) -> None:
        self.assertEqual(1, self.used([entry("max"), entry("max", service="s2")], document(1)))

    def test_one_that_no_filter_lets_through_is_not_used(self) -> None:
        self.assertEqual(1, self.used(entry("max", filters=["volume > `1`"]), document(1), document(2, volume=2)))

    def test_one_of_which_no_usage_comes_is_not_used(self) -> None:
        uptime = entry("uptime", transformer_config={"tracked_states": ["active"]})
        metadata = {"status": "building", "instance_type": "c1"}
        self.assertEqual(0, self.used(uptime, document(1, metadata=metadata)))

    def test_one_whose_resource_cannot_be_stored_is_not_used(self) -> None:
        self.assertEqual(0, self.used(entry("max", res_id_template="x" * 400 + "%s"), document(1)))


class FlawTest(unittest.TestCase):
    def flaws(self, entries: Any, *documents: Any) -> list[Flaw]:
        return [rejected.flaw for rejected in builders.rated(entries, documents).rejected]

    def test_what_is_no_mapping_counts_as_a_document(self) -> None:
        self.assertEqual([Flaw.DOCUMENT], self.flaws(entry("max"), "a sample"))

    def test_an_expression_that_fails_counts_as_one(self) -> None:
        self.assertEqual([Flaw.EXPRESSION], self.flaws(entry("max", filters=["abs(metadata)"]), document(1)))

    def test_a_volume_that_no_expression_finds_counts_as_a_volume(self) -> None:
        self.assertEqual([Flaw.VOLUME], self.flaws(entry("max", volume={"source": "size"}), document(1)))

    def test_a_flavor_without_name_counts_as_a_lookup(self) -> None:
        uptime = entry("databaseuptime", transformer_config={"tracked_states": ["active"]})
        metadata = {"status": "active", "flavor.id": "1"}
        self.assertEqual([Flaw.LOOKUP], self.flaws(uptime, document(1, metadata=metadata)))

    def test_a_name_that_is_no_service_counts_as_a_service(self) -> None:
        uptime = entry("uptime", transformer_config={"tracked_states": ["active"]})
        metadata = {"status": "active", "instance_type": "c" * 300}
        self.assertEqual([Flaw.SERVICE], self.flaws(uptime, document(1, metadata=metadata)))

    def test_a_service_in_two_units_counts_as_a_unit(self) -> None:
        self.assertEqual([Flaw.UNIT], self.flaws([entry("max"), entry("max", unit="gigabyte")], document(1)))

    def test_a_size_in_the_metadata_counts_as_metadata(self) -> None:
        disk = entry("databasevolumemax")
        self.assertEqual([Flaw.METADATA], self.flaws(disk, document(1, metadata={"volume.size": "big"})))

    def test_what_is_no_container_counts_as_a_resource_id(self) -> None:
        self.assertEqual([Flaw.RESOURCE_ID], self.flaws(entry("objectstoragemax"), document(1)))
