# SPDX-License-Identifier: Apache-2.0
"""The number of used samples, and the labels by which rejected ones are counted."""

import unittest
from typing import Any

from distil.exceptions import RejectionReason
from distil.tests.support import builders
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


class UsedSamplesTest(unittest.TestCase):
    def used(self, entries: Any, *documents: builders.Document) -> int:
        return len(builders.rated(entries, documents).used)

    def test_samples_of_billed_resource_are_used(self) -> None:
        self.assertEqual(3, self.used(entry("max"), document(1), document(2), document(3, resource_id="r2")))

    def test_sample_of_two_mappings_counts_once(self) -> None:
        self.assertEqual(1, self.used([entry("max"), entry("max", service="s2")], document(1)))

    def test_filtered_sample_is_not_used(self) -> None:
        self.assertEqual(1, self.used(entry("max", filters=["volume > `1`"]), document(1), document(2, volume=2)))

    def test_sample_without_usage_is_not_used(self) -> None:
        uptime = entry("uptime", transformer_config={"tracked_states": ["active"]})
        metadata = {"status": "building", "instance_type": "c1"}
        self.assertEqual(0, self.used(uptime, document(1, metadata=metadata)))

    def test_unstorable_resource_is_not_used(self) -> None:
        self.assertEqual(0, self.used(entry("max", res_id_template="x" * 400 + "%s"), document(1)))


class RejectionReasonTest(unittest.TestCase):
    def kinds(self, entries: Any, *documents: Any) -> list[RejectionReason]:
        return [rejected.kind for rejected in builders.rated(entries, documents).rejected]

    def test_non_mapping_counts_as_document(self) -> None:
        self.assertEqual([RejectionReason.DOCUMENT], self.kinds(entry("max"), "a sample"))

    def test_failing_expression_counts_as_expression(self) -> None:
        self.assertEqual([RejectionReason.EXPRESSION], self.kinds(entry("max", filters=["abs(metadata)"]), document(1)))

    def test_missing_volume_counts_as_volume(self) -> None:
        self.assertEqual([RejectionReason.VOLUME], self.kinds(entry("max", volume={"source": "size"}), document(1)))

    def test_unknown_flavor_counts_as_lookup(self) -> None:
        uptime = entry("databaseuptime", transformer_config={"tracked_states": ["active"]})
        metadata = {"status": "active", "flavor.id": "1"}
        self.assertEqual([RejectionReason.LOOKUP], self.kinds(uptime, document(1, metadata=metadata)))

    def test_invalid_service_counts_as_service(self) -> None:
        uptime = entry("uptime", transformer_config={"tracked_states": ["active"]})
        metadata = {"status": "active", "instance_type": "c" * 300}
        self.assertEqual([RejectionReason.SERVICE], self.kinds(uptime, document(1, metadata=metadata)))

    def test_conflicting_unit_counts_as_unit(self) -> None:
        self.assertEqual([RejectionReason.UNIT], self.kinds([entry("max"), entry("max", unit="gigabyte")], document(1)))

    def test_invalid_size_counts_as_metadata(self) -> None:
        disk = entry("databasevolumemax")
        self.assertEqual([RejectionReason.METADATA], self.kinds(disk, document(1, metadata={"volume.size": "big"})))

    def test_non_container_counts_as_resource_id(self) -> None:
        self.assertEqual([RejectionReason.RESOURCE_ID], self.kinds(entry("objectstoragemax"), document(1)))
