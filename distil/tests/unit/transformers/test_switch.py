# SPDX-License-Identifier: Apache-2.0
"""``numbool`` and ``networkservice``: every hour of the window, or 0."""

import unittest
from decimal import Decimal

from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


class SwitchTestCase(unittest.TestCase):
    transformer: str

    def assert_billed(self, hours: str, *volumes: object, minutes: int = 120) -> None:
        documents = [document(minute, volume=volume) for minute, volume in enumerate(volumes)]
        result = builders.rated(entry(self.transformer), documents, window=builders.window(minutes))
        self.assertEqual([], builders.reasons(result))
        self.assertEqual({(SERVICE, RESOURCE): Decimal(hours)}, builders.volumes(result))


class NumBoolTest(SwitchTestCase):
    transformer = "numbool"

    def test_positive_volume_bills_every_hour(self) -> None:
        self.assert_billed("2", 0, 3, 0)
        self.assert_billed("2", "0.001")

    def test_short_window_bills_fractional_hour(self) -> None:
        self.assert_billed("0.7166666667", 1, minutes=43)

    def test_only_zero_volumes_store_zero(self) -> None:
        self.assert_billed("0", 0, "0", -0.0)

    def test_null_is_neither_on_nor_off(self) -> None:
        self.assert_billed("2", None, 1)
        result = builders.rated(entry("numbool"), [document(1, volume=None), document(2, volume=0)])
        self.assertEqual(((), 2), (result.usage, len(result.rejected)))
        self.assertIn("the status is unknown", builders.reasons(result)[0])

    def test_negative_volume_is_rejected(self) -> None:
        result = builders.rated(entry("numbool"), [document(1, volume=-1), document(2, volume=0)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(0)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))


class NetworkServiceTest(SwitchTestCase):
    transformer = "networkservice"

    def test_one_active_sample_bills_every_hour(self) -> None:
        self.assert_billed("2", 0, 1, 2)

    def test_any_notation_of_one_is_active(self) -> None:
        for volume in (1, 1.0, "1", "1.0"):
            self.assert_billed("2", volume)

    def test_inactive_status_stores_zero(self) -> None:
        for volume in (0, 2, 3, 0.5, 10**30):
            with self.subTest(volume=volume):
                self.assert_billed("0", volume)

    def test_unknown_status_is_rejected(self) -> None:
        for volume in (-1, "-1", None):
            with self.subTest(volume=volume):
                result = builders.rated(entry("networkservice"), [document(1, volume=volume), document(2, volume=0)])
                self.assertEqual(((), 2), (result.usage, len(result.rejected)))
                self.assertIn("the status is unknown", builders.reasons(result)[0])

    def test_active_sample_outweighs_unknown_status(self) -> None:
        self.assert_billed("2", -1, 1, None)

    def test_non_number_is_rejected(self) -> None:
        result = builders.rated(entry("networkservice"), [document(1, volume="ACTIVE"), document(2, volume=1)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(1)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))
