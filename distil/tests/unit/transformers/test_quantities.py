# SPDX-License-Identifier: Apache-2.0
"""Parsing of numbers, and exact division of a whole."""

import unittest
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil.tests.support import strategies
from distil.transformers import quantities


class QuantityTest(unittest.TestCase):
    def test_numbers_and_numeric_text_are_exact(self) -> None:
        for value, expected in (
            (1, "1"),
            (0.1, "0.1"),
            ("0.1", "0.1"),
            ("1e5", "100000"),
            ("+5", "5"),
            (1e-7, "0.0000001"),
        ):
            with self.subTest(value=value):
                self.assertEqual(Decimal(expected), quantities.parse_volume(value, "volume"))

    def test_null_returns_none(self) -> None:
        self.assertIsNone(quantities.parse_volume(None, "volume"))

    def test_non_number_is_rejected_with_value(self) -> None:
        value: object
        for value in (
            "0x10",
            "1_000",
            "1,5",
            "",
            " ",
            "five",
            "None",
            True,
            False,
            [],
            {},
            ["1"],
            b"1",
            "1e" + "9" * 20,
        ):
            with self.subTest(value=value):
                self.assert_rejected(value, f"size {value!r} is not a number")

    def test_non_finite_number_is_rejected(self) -> None:
        for value in (float("nan"), float("inf"), "NaN", "sNaN", "-Infinity", "inf", "nan123"):
            with self.subTest(value=value):
                self.assert_rejected(value, f"size {value!r} is not finite")

    def test_negative_number_is_rejected(self) -> None:
        for value in (-1, "-0.0000000001", -1e300):
            with self.subTest(value=value):
                self.assert_rejected(value, f"size {value!r} is negative")

    def test_number_beyond_column_is_rejected(self) -> None:
        for value in (10**18, 10**30, 1e22, "1e400", "1e999999999999999999"):
            with self.subTest(value=value):
                self.assert_rejected(value, f"size {value!r} exceeds")

    def test_missing_value_is_rejected(self) -> None:
        self.assert_rejected(quantities.MISSING, "size is missing")

    def assert_rejected(self, value: object, reason: str) -> None:
        with self.assertRaises(exceptions.SampleRejected) as caught:
            quantities.parse_volume(value, "size")
        self.assertTrue(str(caught.exception).startswith(reason), caught.exception)

    @hypothesis.given(strategies.json_values())
    def test_any_json_is_accepted_or_rejected(self, value: object) -> None:
        try:
            result = quantities.parse_volume(value, "volume")
        except exceptions.SampleRejected:
            return
        self.assertTrue(result is None or 0 <= result < 10**18)


class SplitTest(unittest.TestCase):
    @hypothesis.given(st.integers(1, 10**6), st.integers(1, 500))
    def test_parts_sum_exactly_and_fit_column(self, whole: int, parts: int) -> None:
        split = quantities.split(Decimal(whole), parts)
        self.assertEqual(parts, len(split))
        self.assertEqual(Decimal(whole), sum(split))
        self.assertTrue(all(part == part.quantize(quantities.QUANTUM) and part >= 0 for part in split))

    def test_parts_are_equal_within_one_quantum(self) -> None:
        for parts in (3, 7, 13, 97):
            split = quantities.split(Decimal(3600), parts)
            self.assertLessEqual(max(split) - min(split), quantities.QUANTUM, parts)

    def test_divisible_number_gives_equal_parts(self) -> None:
        self.assertEqual([Decimal(900)] * 4, quantities.split(Decimal(3600), 4))
