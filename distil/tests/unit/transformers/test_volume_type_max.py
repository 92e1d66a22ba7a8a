# SPDX-License-Identifier: Apache-2.0
"""``blockstoragemax`` and ``storagemax``: max, billed as the volume's type."""

import unittest
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

TYPES = Lookups(volume_types={"b1.fast": "b1.fast", "b1.slow": "b1.slow", "7c1f": "b1.fast"})


def volume(minute: int, size: object, volume_type: object, **fields: Any) -> builders.Document:
    return document(minute, volume=size, metadata={"volume_type": volume_type}, **fields)


class VolumeTypeMaxTest(unittest.TestCase):
    def assert_billed(self, service: str, size: int, *documents: builders.Document) -> None:
        for transformer in ("blockstoragemax", "storagemax"):
            with self.subTest(transformer=transformer):
                result = builders.rated(entry(transformer), documents, lookups=TYPES, window=builders.window(120))
                self.assertEqual([], builders.reasons(result))
                self.assertEqual({(service, RESOURCE): Decimal(size * 2)}, builders.volumes(result))

    def test_type_name_is_billed_as_service(self) -> None:
        self.assert_billed("b1.fast", 20, volume(1, 10, "b1.fast"), volume(2, 20, "b1.fast"))

    def test_type_id_is_resolved_to_name(self) -> None:
        self.assert_billed("b1.fast", 10, volume(1, 10, "7c1f"))

    def test_last_sample_sets_type_not_size(self) -> None:
        self.assert_billed("b1.slow", 20, volume(9, 10, "b1.slow"), volume(1, 20, "b1.fast"))

    def test_null_does_not_hide_known_type(self) -> None:
        for null in (None, "None", ""):
            with self.subTest(null=null):
                self.assert_billed("b1.slow", 10, volume(1, 10, "7c1f"), volume(2, 10, "b1.slow"), volume(3, 10, null))

    def test_unknown_type_uses_mapping_service(self) -> None:
        for unknown in ("gone", None, "", "None", 7, ["b1.fast"], {"name": "b1.fast"}):
            with self.subTest(unknown=unknown):
                self.assert_billed(SERVICE, 10, volume(1, 10, unknown))
        self.assert_billed(SERVICE, 10, document(1, volume=10))

    def test_type_applies_to_its_volume_only(self) -> None:
        documents = [volume(1, 1, "b1.fast", resource_id="a"), volume(2, 2, "gone", resource_id="b")]
        result = builders.rated(entry("blockstoragemax"), documents, lookups=TYPES)
        self.assertEqual({("b1.fast", "a"): Decimal(1), (SERVICE, "b"): Decimal(2)}, builders.volumes(result))

    def test_unavailable_type_lookup_raises(self) -> None:
        with self.assertRaises(exceptions.LookupUnavailable):
            builders.rated(
                entry("blockstoragemax"), [volume(1, 1, "b1.fast")], lookups=Lookups(volume_types=builders.Down())
            )

    def test_unstorable_type_name_rejects_sample(self) -> None:
        for name in ("x" * 5000, "b1\0", "b1\ud800"):
            with self.subTest(name=name[:5]):
                result = builders.rated(
                    entry("blockstoragemax"), [volume(1, 1, "t")], lookups=Lookups(volume_types={"t": name})
                )
                self.assertEqual({}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))
