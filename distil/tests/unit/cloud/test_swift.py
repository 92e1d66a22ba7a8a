# SPDX-License-Identifier: Apache-2.0
"""Quoting of containers' names as segments of a URL's path."""

import string
import unittest
import urllib.parse

import hypothesis
from hypothesis import strategies as st

from distil.cloud import swift

_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1)


class QuoteNameTest(unittest.TestCase):
    @hypothesis.given(_NAMES.filter(lambda name: name not in (".", "..") and len(name.encode()) <= 256))
    def test_name_round_trips_as_one_segment(self, name: str) -> None:
        quoted = swift.quote_name(name) or ""
        self.assertEqual(name, urllib.parse.unquote(quoted))
        self.assertLessEqual(set(quoted), {*string.ascii_letters, *string.digits, *"-._~%"})

    def test_invalid_name_returns_none(self) -> None:
        for name in ("", ".", "..", "a\0", "a/b", "\ud800", "x" * 257, "é" * 129):
            with self.subTest(name=name):
                self.assertIsNone(swift.quote_name(name))
