# SPDX-License-Identifier: Apache-2.0
"""Tests of selectors in PromQL."""

import unittest

from distil.sandbox.query.selectors import InvalidSelector
from distil.sandbox.query.selectors import parse_selector


class SelectorTest(unittest.TestCase):
    def test_ranges_are_milliseconds(self) -> None:
        for text, expected in (("1h", 3_600_000), ("1h30m", 5_400_000), ("1m1ms", 60_001), ("2d", 172_800_000)):
            self.assertEqual(expected, parse_selector(f"m[{text}]").range_ms, text)
        self.assertIsNone(parse_selector(" m ").range_ms)

    def test_matchers_compare_whole_values(self) -> None:
        labels = {"__name__": "m", "a": "xy"}
        for matcher, expected in (
            ('a="xy"', True),
            ('a=~"x"', False),
            ('a=~"x|xy"', True),
            ('a!~"x."', False),
            ('b=""', True),
            ('b!=""', False),
            ("a='xy', b=``,", True),
            (r'a="\x78y"', True),
        ):
            self.assertIs(expected, parse_selector(f"m{{{matcher}}}").matches(labels), matcher)
        self.assertFalse(parse_selector("n").matches(labels))
        self.assertTrue(parse_selector('{__name__=~"m|n"}').matches(labels))

    def test_listed_values_are_possible(self) -> None:
        for matcher, expected in (
            ('a="x"', {"x"}),
            ('a=~"x|y-1"', {"x", "y-1"}),
            ('a=~"x|y",a!="x",a="y"', {"y"}),
            ('a=~"x.*"', None),
            ('a!="x"', None),
            ('b="x"', None),
        ):
            self.assertEqual(expected, parse_selector(f"m{{{matcher}}}").possible_values("a"), matcher)

    def test_invalid_selectors_raise(self) -> None:
        for text, message in (
            ("m[1h", "1:5: parse error: unclosed left bracket"),
            ("m[]", "bad number or duration"),
            ("m[0s]", "greater than 0"),
            ("m[1x]", "bad number or duration"),
            ("m{", "end of input"),
            ("m{a=1}", "inside braces"),
            ('m{a="x" b="y"}', "inside braces"),
            (r'm{a="\d"}', "escape"),
            ('m{a=~"("}', "regexp"),
            ('{a=""}', "non-empty"),
            ("", "no expression"),
            ("rate(m[1h])", "unexpected"),
        ):
            with self.subTest(text=text), self.assertRaisesRegex(InvalidSelector, message):
                parse_selector(text)
