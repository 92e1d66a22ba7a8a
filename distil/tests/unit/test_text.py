# SPDX-License-Identifier: Apache-2.0
"""Text that every database can store."""

import datetime
import unittest
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil import model
from distil import text
from distil.tests.support import strategies

ANY_TEXT = st.text(st.characters(exclude_categories=()))


class TextTest(unittest.TestCase):
    def test_nul_and_lone_surrogates_are_unstorable(self) -> None:
        for value in ("\0", "a\0b", "\ud800", "a\udfffb"):
            self.assertFalse(text.is_storable(value))
        for value in ("", "a", "ü", "🐌", "\ud7ff", "\ue000", "\x01"):
            self.assertTrue(text.is_storable(value))

    @hypothesis.given(ANY_TEXT, st.integers(len(text.CUT), 50))
    def test_sanitized_text_is_storable_and_truncated(self, value: str, length: int) -> None:
        sanitized = text.sanitize(value, length)
        self.assertTrue(text.is_storable(sanitized))
        self.assertEqual(min(len(value), length), len(sanitized))
        if len(value) > length:
            self.assertTrue(sanitized.endswith(text.CUT), sanitized)

    @hypothesis.given(st.text(st.characters(exclude_characters="\0"), max_size=20))
    def test_storable_text_is_unchanged(self, value: str) -> None:
        hypothesis.assume(text.is_storable(value))
        self.assertEqual(value, text.sanitize(value, 20))

    def test_sanitized_text_is_exact(self) -> None:
        for value, stored in (("a\0b\udfff", "a?b?"), ("🐘" * 12, "🐘" * 12), ("a" * 13, "aaa... (cut)")):
            self.assertEqual(stored, text.sanitize(value, 12))

    def test_column_text_is_exact(self) -> None:
        for value, stored in (("a\0b\udfff", r"a\x00b\udfff"), ("🐘" * 12, "🐘" * 12), ("a" * 13, "aaaaaa [cut]")):
            self.assertEqual(stored, text.fit_column(value, 12))

    @hypothesis.given(ANY_TEXT, st.integers(len(text.COLUMN_CUT), 50))
    def test_column_text_is_storable_and_truncated(self, value: str, length: int) -> None:
        stored = text.fit_column(value, length)
        self.assertTrue(text.is_storable(stored))
        self.assertLessEqual(len(stored), length)

    def test_invalid_service_name_raises(self) -> None:
        longest = "x" * model.MAX_SERVICE
        text.validate_service(longest)
        for value in ("", longest + "x", "a\0", "\ud800"):
            with self.subTest(value=value[:5]), self.assertRaises(exceptions.SampleRejected) as caught:
                text.validate_service(value)
            self.assertLess(len(str(caught.exception)), 200)

    def test_numbers_and_booleans_are_unchanged(self) -> None:
        for value in (True, False, 0, 5, -1.5):
            self.assertIs(value, text.to_info_value(value))

    def test_other_values_become_json_text(self) -> None:
        for value, expected in (("a", "a"), (["a", 1], '["a", 1]'), ({"a": None}, '{"a": null}')):
            self.assertEqual(expected, text.to_info_value(value))

    @hypothesis.given(strategies.json_values())
    def test_info_value_is_bounded_and_storable(self, value: Any) -> None:
        bounded = text.to_info_value(value)
        if isinstance(bounded, str):
            self.assertLessEqual(len(bounded), text.MAX_INFO_VALUE)
            self.assertTrue(text.is_storable(bounded))


class FormatTest(unittest.TestCase):
    def test_duration_shows_two_largest_units(self) -> None:
        for seconds, expected in (
            (-5, "0.0 s"), (0.21, "0.2 s"), (12.4, "12 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"),
            (3601, "1 h"), (3660, "1 h 1 min"), (90000, "1 d 1 h"), (86400 * 40, "40 d"),
        ):  # fmt: skip
            self.assertEqual(expected, text.format_duration(datetime.timedelta(seconds=seconds)))

    def test_timestamp_names_utc(self) -> None:
        time = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
        self.assertEqual("2026-01-02 03:04:05 UTC", text.format_timestamp(time))
