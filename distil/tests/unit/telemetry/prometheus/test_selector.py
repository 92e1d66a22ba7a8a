# SPDX-License-Identifier: Apache-2.0
"""Which selectors are accepted, and how they are narrowed."""

import unittest

from distil.telemetry.prometheus.selector import Selector


class SelectorTest(unittest.TestCase):
    def test_metric_with_conditions_is_accepted(self) -> None:
        for text in (
            "up",
            "job:up:sum",
            'up{job="a"}',
            ' up { job = "a" , instance =~ "b.*", } ',
            r'm{a="\"\\\n", b!~`\d`}',
            "m{a!='}'}",
            'm{a="größe, {}"}',
        ):
            with self.subTest(text):
                Selector.parse(text)

    def test_other_expressions_are_refused(self) -> None:
        for text in (
            "",
            "{}",
            '{__name__="up"}',
            "up[5m]",
            "sum(up)",
            "up + 1",
            'up{job="a"} offset 1h',
            'up{job="a}',
            'up{job=="a"}',
            "up{job=a}",
            "9up",
            'up{job="a" b="c"}',
            'up{job="a\n"}',
            "größe",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                Selector.parse(text)

    def test_notations_of_same_conditions_are_equal(self) -> None:
        self.assertEqual(Selector.parse('up{job="a"}'), Selector.parse(' up { job="a", }'))
        self.assertEqual(Selector.parse("up"), Selector.parse("up{}"))

    def test_condition_is_added(self) -> None:
        self.assertEqual('up{a="b"}', str(Selector.parse("up").where('a="b"')))
        self.assertEqual('up{job="a", a="b"}', str(Selector.parse('up{job="a",}').where('a="b"')))
