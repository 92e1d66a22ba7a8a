# SPDX-License-Identifier: Apache-2.0
"""``fromimage``: the root disk of an instance, unless it was booted from a volume."""

import unittest
from decimal import Decimal

from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry

OPTIONS = {"md_keys": ["image_ref", "base"], "none_values": ["None", ""], "size_keys": ["root_gb", "disk_gb"]}
ENTRY = entry("fromimage", unit="gigabyte", transformer_config=OPTIONS)


class FromImageTest(unittest.TestCase):
    def assert_billed(self, expected: dict[str, str], *metadata: dict[str, object]) -> None:
        documents = [document(minute, metadata=fields) for minute, fields in enumerate(metadata)]
        result = builders.rated(ENTRY, documents, window=builders.window(120))
        self.assertEqual([], builders.reasons(result))
        self.assertEqual(
            {(service, RESOURCE): Decimal(volume) for service, volume in expected.items()}, builders.volumes(result)
        )

    def test_largest_size_billed_for_every_hour(self) -> None:
        self.assert_billed({SERVICE: "40"}, {"image_ref": "i", "root_gb": 10}, {"image_ref": "i", "root_gb": "20"})

    def test_largest_of_all_size_keys_counts(self) -> None:
        self.assert_billed({SERVICE: "60"}, {"image_ref": "i", "root_gb": 10, "disk_gb": 30})

    def test_unknown_size_is_rejected(self) -> None:
        for size in ({}, {"root_gb": None}, {"root_gb": "None"}):
            with self.subTest(size=size):
                result = builders.rated(ENTRY, [document(1, metadata={"image_ref": "i", **size})])
                self.assertEqual((), result.usage)
                self.assertEqual(["metadata has no size of the root disk (root_gb, disk_gb)"], builders.reasons(result))

    def test_size_of_one_sample_suffices(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"image_ref": "i"}, {"image_ref": "i", "root_gb": 10})

    def test_size_of_zero_stores_zero(self) -> None:
        self.assert_billed({SERVICE: "0"}, {"image_ref": "i", "root_gb": "0"})

    def test_one_sample_without_image_prevents_usage(self) -> None:
        for none in ("None", ""):
            self.assert_billed({}, {"image_ref": "i", "root_gb": 10}, {"image_ref": none}, {"image_ref": "i"})

    def test_first_metadata_key_found_decides(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"image_ref": "i", "base": "None", "root_gb": 10})
        self.assert_billed({}, {"base": "None", "root_gb": 10})
        self.assert_billed({SERVICE: "20"}, {"base": "i", "root_gb": 10})

    def test_missing_keys_count_as_image(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"root_gb": 10})

    def test_null_does_not_match_none_values(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"image_ref": None, "root_gb": 10})

    def test_none_values_are_compared_as_text(self) -> None:
        config = {**OPTIONS, "none_values": ["0", "False"]}
        for none in (0, False, "0"):
            result = builders.rated(
                entry("fromimage", transformer_config=config), [document(1, metadata={"image_ref": none})]
            )
            self.assertEqual((), result.usage)

    def test_invalid_size_is_rejected(self) -> None:
        size: object
        for size in ("big", [], True, -1, "NaN", 10**30):
            with self.subTest(size=size):
                valid = document(1, metadata={"image_ref": "i", "root_gb": 10})
                invalid = document(2, metadata={"image_ref": "i", "root_gb": size})
                result = builders.rated(ENTRY, [valid, invalid])
                self.assertEqual({(SERVICE, RESOURCE): Decimal(10)}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))
                self.assertIn("root_gb", builders.reasons(result)[0])

    def test_service_option_overrides_mapping(self) -> None:
        config = {**OPTIONS, "service": "b9"}
        result = builders.rated(
            entry("fromimage", transformer_config=config), [document(1, metadata={"image_ref": "i", "root_gb": 1})]
        )
        self.assertEqual({("b9", RESOURCE): Decimal(1)}, builders.volumes(result))
