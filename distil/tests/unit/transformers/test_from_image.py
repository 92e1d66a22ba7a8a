# SPDX-License-Identifier: Apache-2.0
"""fromimage: the root disk of an instance, unless it was booted from a volume."""

import unittest
from decimal import Decimal

from distil.tests.unit import builders
from distil.tests.unit.builders import RESOURCE
from distil.tests.unit.builders import SERVICE
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry

OPTIONS = {"md_keys": ["image_ref", "base"], "none_values": ["None", ""], "size_keys": ["root_gb", "disk_gb"]}
ENTRY = entry("fromimage", unit="gigabyte", transformer_config=OPTIONS)


class TestFromImage(unittest.TestCase):
    def assert_billed(self, expected: dict[str, str], *metadata: dict[str, object]) -> None:
        documents = [document(minute, metadata=fields) for minute, fields in enumerate(metadata)]
        result = builders.rated(ENTRY, documents, window=builders.window(120))
        self.assertEqual([], builders.reasons(result))
        self.assertEqual(
            {(service, RESOURCE): Decimal(volume) for service, volume in expected.items()}, builders.volumes(result)
        )

    def test_the_largest_size_is_billed_for_every_hour(self) -> None:
        self.assert_billed({SERVICE: "40"}, {"image_ref": "i", "root_gb": 10}, {"image_ref": "i", "root_gb": "20"})

    def test_every_size_key_counts(self) -> None:
        self.assert_billed({SERVICE: "60"}, {"image_ref": "i", "root_gb": 10, "disk_gb": 30})

    def test_without_any_size_0_is_stored(self) -> None:
        self.assert_billed({SERVICE: "0"}, {"image_ref": "i"}, {"image_ref": "i", "root_gb": None})

    def test_no_image_in_any_sample_is_no_usage(self) -> None:
        for none in ("None", ""):
            self.assert_billed({}, {"image_ref": "i", "root_gb": 10}, {"image_ref": none}, {"image_ref": "i"})

    def test_only_the_first_key_that_is_found_counts(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"image_ref": "i", "base": "None", "root_gb": 10})
        self.assert_billed({}, {"base": "None", "root_gb": 10})
        self.assert_billed({SERVICE: "20"}, {"base": "i", "root_gb": 10})

    def test_without_any_key_there_is_an_image(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"root_gb": 10})

    def test_json_null_is_none_of_the_values(self) -> None:
        self.assert_billed({SERVICE: "20"}, {"image_ref": None, "root_gb": 10})

    def test_values_are_compared_as_texts(self) -> None:
        config = {**OPTIONS, "none_values": ["0", "False"]}
        for none in (0, False, "0"):
            result = builders.rated(
                entry("fromimage", transformer_config=config), [document(1, metadata={"image_ref": none})]
            )
            self.assertEqual((), result.usage)

    def test_a_size_that_is_no_number_is_rejected_and_the_others_are_billed(self) -> None:
        size: object
        for size in ("big", [], True, -1, "NaN", 10**30):
            with self.subTest(size=size):
                good = document(1, metadata={"image_ref": "i", "root_gb": 10})
                bad = document(2, metadata={"image_ref": "i", "root_gb": size})
                result = builders.rated(ENTRY, [good, bad])
                self.assertEqual({(SERVICE, RESOURCE): Decimal(10)}, builders.volumes(result))
                self.assertEqual(1, len(result.rejected))
                self.assertIn("root_gb", builders.reasons(result)[0])

    def test_the_text_none_is_no_size_as_ceilometer_writes_null(self) -> None:
        result = builders.rated(ENTRY, [document(1, metadata={"image_ref": "i", "root_gb": "None"})])
        self.assertEqual(({(SERVICE, RESOURCE): Decimal(0)}, ()), (builders.volumes(result), result.rejected))

    def test_the_configured_service_wins_over_the_mappings(self) -> None:
        config = {**OPTIONS, "service": "b9"}
        result = builders.rated(
            entry("fromimage", transformer_config=config), [document(1, metadata={"image_ref": "i", "root_gb": 1})]
        )
        self.assertEqual({("b9", RESOURCE): Decimal(1)}, builders.volumes(result))
