# SPDX-License-Identifier: Apache-2.0
"""Replacement of a sample's volume by the ``volume`` of a meter mapping."""

import unittest
from decimal import Decimal
from typing import Any

from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry

SOURCES = {"sources": ["metadata.nodes", "metadata.count", "volume"]}


class VolumeOverrideTest(unittest.TestCase):
    def assert_volume(self, expected: str, replaced_by: object, **fields: Any) -> None:
        result = builders.rated(entry("sum", volume=replaced_by), [document(1, **fields)])
        self.assertEqual([], builders.reasons(result))
        self.assertEqual({(SERVICE, RESOURCE): Decimal(expected)}, builders.volumes(result))

    def assert_rejected(self, reason: str, replaced_by: object, **fields: Any) -> None:
        result = builders.rated(
            entry("sum", volume=replaced_by), [document(1, **fields), document(2, metadata={"nodes": 1})]
        )
        self.assertEqual({(SERVICE, RESOURCE): Decimal(1)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))
        self.assertIn(reason, builders.reasons(result)[0])

    def test_number_replaces_every_volume(self) -> None:
        for number, expected in ((5, "5"), (0.25, "0.25"), ("7", "7"), (0, "0")):
            self.assert_volume(expected, number, volume=3)

    def test_number_replaces_bad_or_missing_volume(self) -> None:
        self.assert_volume("5", 5, volume="bad")
        result = builders.rated(entry("sum", volume=5), [builders.without(document(1), "volume")])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(5)}, builders.volumes(result))

    def test_source_replaces_volume(self) -> None:
        self.assert_volume("5", {"source": "metadata.nodes"}, metadata={"nodes": 5})
        self.assert_volume("5", {"source": "length(metadata.nodes)"}, metadata={"nodes": [0] * 5})

    def test_numeric_text_is_accepted(self) -> None:
        self.assert_volume("5", {"source": "metadata.nodes"}, metadata={"nodes": "5"})

    def test_first_source_with_value_is_used(self) -> None:
        self.assert_volume("2", SOURCES, volume=9, metadata={"nodes": 2, "count": 3})
        self.assert_volume("3", SOURCES, volume=9, metadata={"nodes": None, "count": 3})
        self.assert_volume("9", SOURCES, volume=9)

    def test_none_text_counts_as_missing(self) -> None:
        self.assert_volume("3", SOURCES, volume=9, metadata={"nodes": "None", "count": "3"})
        self.assert_volume("9", SOURCES, volume=9, metadata={"nodes": "None", "count": "None"})
        self.assert_volume("4", {"source": "metadata.nodes || metadata.count"}, metadata={"nodes": "None", "count": 4})
        self.assert_rejected("volume is missing", {"source": "metadata.nodes"}, metadata={"nodes": "None"})

    def test_rejected_sample_keeps_none_text(self) -> None:
        result = builders.rated(entry(volume={"source": "metadata.nodes"}), [document(metadata={"nodes": "None"})])
        self.assertEqual([{"nodes": "None"}], [rejected.document["metadata"] for rejected in result.rejected])

    def test_zero_counts_as_value(self) -> None:
        self.assert_volume("0", SOURCES, volume=9, metadata={"nodes": 0, "count": 3})

    def test_sample_without_value_is_rejected(self) -> None:
        self.assert_rejected("metadata.nodes", {"source": "metadata.nodes"})

    def test_invalid_value_is_rejected(self) -> None:
        value: object
        for value in ("five", [], {}, True, "", "NaN", -1, 10**30):
            with self.subTest(value=value):
                self.assert_rejected("volume", SOURCES, volume=9, metadata={"nodes": value, "count": 3})

    def test_failing_expression_rejects_sample(self) -> None:
        source = {"source": "sum(metadata.nodes) || metadata.nodes"}
        result = builders.rated(entry("sum", volume=source), [document(1, metadata={"nodes": "x"})])
        self.assertEqual(1, len(result.rejected))

    def test_override_leaves_other_mappings_unchanged(self) -> None:
        entries = [entry("sum", volume=5), entry("sum", res_id_template="%s-own")]
        result = builders.rated(entries, [document(1, volume=3)])
        self.assertEqual(
            {(SERVICE, RESOURCE): Decimal(5), (SERVICE, f"{RESOURCE}-own"): Decimal(3)}, builders.volumes(result)
        )
