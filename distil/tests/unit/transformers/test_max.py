# SPDX-License-Identifier: Apache-2.0
"""``max``: the largest volume for every hour of the window."""

import unittest
from decimal import Decimal
from fractions import Fraction

import hypothesis
from hypothesis import strategies as st

from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


def billed(*volumes: object, minutes: int = 60) -> dict[tuple[str, str], Decimal]:
    documents = [document(number / 100, volume=volume) for number, volume in enumerate(volumes)]
    result = builders.rated(entry("max"), documents, window=builders.window(minutes))
    assert not result.rejected, result.rejected
    return builders.volumes(result)


class MaxTest(unittest.TestCase):
    def test_largest_volume_billed_for_every_hour(self) -> None:
        self.assertEqual({(SERVICE, RESOURCE): Decimal(7)}, billed(3, 7, 5))
        self.assertEqual({(SERVICE, RESOURCE): Decimal(21)}, billed(3, 7, 5, minutes=180))

    def test_partial_hour_is_billed_as_fraction(self) -> None:
        self.assertEqual({(SERVICE, RESOURCE): Decimal("3.5833333333")}, billed(5, minutes=43))

    def test_null_does_not_hide_known_volumes(self) -> None:
        self.assertEqual({(SERVICE, RESOURCE): Decimal(4)}, billed(None, 4, None))
        self.assertEqual({(SERVICE, RESOURCE): Decimal(0)}, billed(None, 0))

    def test_only_null_volumes_are_rejected(self) -> None:
        for transformer in ("max", "blockstoragemax"):
            documents = [document(1, volume=None), document(2, volume=None)]
            result = builders.rated(entry(transformer), documents)
            self.assertEqual(((), 2), (result.usage, len(result.rejected)))
            self.assertIn("the volume is null in all samples of the window", builders.reasons(result))

    def test_zero_usage_is_stored(self) -> None:
        self.assertEqual({(SERVICE, RESOURCE): Decimal(0)}, billed(0))

    def test_numeric_texts_are_compared_as_numbers(self) -> None:
        self.assertEqual({(SERVICE, RESOURCE): Decimal(10)}, billed("9", "10"))

    def test_negative_zero_is_stored_unsigned(self) -> None:
        for zero in (-0.0, "-0"):
            (volume,) = billed(zero).values()
            self.assertEqual("0E-10", str(volume))

    @hypothesis.given(st.lists(strategies.volumes(), min_size=1, max_size=20), strategies.windows())
    def test_usage_is_exact_to_stored_digits(self, volumes: list[Decimal], minutes: int) -> None:
        (volume,) = billed(*map(str, volumes), minutes=minutes).values()
        exact = max(map(Fraction, volumes)) * minutes / 60
        self.assertLessEqual(abs(Fraction(volume) - exact), Fraction(1, 2 * 10**10))
        self.assertEqual(-10, volume.as_tuple().exponent)
