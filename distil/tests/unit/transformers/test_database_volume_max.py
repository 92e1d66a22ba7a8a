# SPDX-License-Identifier: Apache-2.0
"""``databasevolumemax``: the size of a database instance's volume, billed as the volume's type."""

import unittest
from decimal import Decimal

from distil import exceptions
from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

ENTRY = entry("databasevolumemax", unit="gigabyte")
TYPES = Lookups(types_of_volumes={"v1": "b1.fast", "v2": "b1.slow"})


def database(minute: int, size: object, volume_id: object = "v1", resource_id: str = RESOURCE) -> builders.Document:
    return document(minute, resource_id=resource_id, metadata={"volume_id": volume_id, "volume.size": size})


class DatabaseVolumeMaxTest(unittest.TestCase):
    def test_largest_size_billed_as_volume_type(self) -> None:
        documents = [database(1, 5), database(2, "10"), database(3, 7)]
        result = builders.rated(ENTRY, documents, lookups=TYPES, window=builders.window(120))
        self.assertEqual({("b1.fast", RESOURCE): Decimal(20)}, builders.volumes(result))

    def test_fractional_size_is_truncated(self) -> None:
        for size in (5.9, "5.9", "5.0", 5):
            result = builders.rated(ENTRY, [database(1, size)], lookups=TYPES)
            self.assertEqual({("b1.fast", RESOURCE): Decimal(5)}, builders.volumes(result))

    def test_unknown_type_is_rejected(self) -> None:
        for volume_id in ("gone", 7):
            with self.subTest(volume_id=volume_id):
                result = builders.rated(ENTRY, [database(1, 5000, volume_id)], lookups=TYPES)
                self.assertEqual(((), ()), (result.usage, result.resources))
                self.assertEqual(
                    [f"volume {str(volume_id)!r} does not exist or has no type, so its type cannot be billed"],
                    builders.reasons(result),
                )

    def test_missing_volume_id_is_rejected(self) -> None:
        for volume_id in (None, "None", ""):
            result = builders.rated(ENTRY, [database(1, 5000, volume_id)], lookups=TYPES)
            self.assertEqual(((), ["metadata has no volume_id"]), (result.usage, builders.reasons(result)))

    def test_known_volume_id_outweighs_missing_one(self) -> None:
        result = builders.rated(ENTRY, [database(1, 5, "v2"), database(2, 5), database(3, 5, "None")], lookups=TYPES)
        self.assertEqual({("b1.fast", RESOURCE): Decimal(5)}, builders.volumes(result))

    def test_type_applies_to_its_volume_only(self) -> None:
        documents = [database(1, 5, "v1", "a"), database(2, 5, "gone", "b"), database(3, 5, "v2", "c")]
        result = builders.rated(ENTRY, documents, lookups=TYPES)
        self.assertEqual({("b1.fast", "a"), ("b1.slow", "c")}, set(builders.volumes(result)))

    def test_invalid_size_is_rejected(self) -> None:
        size: object
        for size in ("big", None, [], {}, True, -1, "inf", 10**30):
            with self.subTest(size=size):
                result = builders.rated(ENTRY, [database(1, 5), database(2, size)], lookups=TYPES)
                self.assertEqual({("b1.fast", RESOURCE): Decimal(5)}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))
                self.assertIn("volume.size", builders.reasons(result)[0])

    def test_unavailable_type_lookup_raises(self) -> None:
        with self.assertRaises(exceptions.LookupUnavailable):
            builders.rated(ENTRY, [database(1, 5)], lookups=Lookups(types_of_volumes=builders.Down()))
