# SPDX-License-Identifier: Apache-2.0
"""blockstoragemax and storagemax: max, billed as the volume's type."""

import unittest
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil.tests.unit import builders
from distil.tests.unit.builders import RESOURCE
from distil.tests.unit.builders import SERVICE
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry
from distil.transformers.lookups import Lookups

TYPES = Lookups(volume_types={"b1.fast": "b1.fast", "b1.slow": "b1.slow", "7c1f": "b1.fast"})


def volume(minute: int, size: object, volume_type: object, **fields: Any) -> builders.Document:
    return document(minute, volume=size, metadata={"volume_type": volume_type}, **fields)


class TestVolumeTypeMax(unittest.TestCase):
    def assert_billed(self, service: str, size: int, *documents: builders.Document) -> None:
        for transformer in ("blockstoragemax", "storagemax"):
            with self.subTest(transformer=transformer):
                result = builders.rated(entry(transformer), documents, lookups=TYPES, window=builders.window(120))
                self.assertEqual([], builders.reasons(result))
                self.assertEqual({(service, RESOURCE): Decimal(size * 2)}, builders.volumes(result))

    def test_it_is_billed_as_the_name_of_its_type(self) -> None:
        self.assert_billed("b1.fast", 20, volume(1, 10, "b1.fast"), volume(2, 20, "b1.fast"))

    def test_the_type_may_be_an_id(self) -> None:
        self.assert_billed("b1.fast", 10, volume(1, 10, "7c1f"))

    def test_the_last_sample_decides_about_the_type_and_the_largest_about_the_size(self) -> None:
        self.assert_billed("b1.slow", 20, volume(9, 10, "b1.slow"), volume(1, 20, "b1.fast"))

    def test_an_unknown_type_is_billed_as_the_mappings_service(self) -> None:
        for unknown in ("gone", None, "", "None", 7, ["b1.fast"], {"name": "b1.fast"}):
            with self.subTest(unknown=unknown):
                self.assert_billed(SERVICE, 10, volume(1, 10, unknown))
        self.assert_billed(SERVICE, 10, document(1, volume=10))

    def test_a_type_of_another_volume_is_never_taken(self) -> None:
        documents = [volume(1, 1, "b1.fast", resource_id="a"), volume(2, 2, "gone", resource_id="b")]
        result = builders.rated(entry("blockstoragemax"), documents, lookups=TYPES)
        self.assertEqual({("b1.fast", "a"): Decimal(1), (SERVICE, "b"): Decimal(2)}, builders.volumes(result))

    def test_the_window_waits_while_nobody_can_say_what_the_type_is(self) -> None:
        with self.assertRaises(exceptions.LookupUnavailable):
            builders.rated(
                entry("blockstoragemax"), [volume(1, 1, "b1.fast")], lookups=Lookups(volume_types=builders.Down())
            )

    def test_a_name_that_cannot_be_stored_rejects_the_volume(self) -> None:
        for name in ("x" * 5000, "b1\0", "b1\ud800"):
            with self.subTest(name=name[:5]):
                result = builders.rated(
                    entry("blockstoragemax"), [volume(1, 1, "t")], lookups=Lookups(volume_types={"t": name})
                )
                self.assertEqual({}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))
