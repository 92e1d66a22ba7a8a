# SPDX-License-Identifier: Apache-2.0
"""Tests of Gnocchi's filter language."""

import unittest
from typing import Any

from distil.sandbox.query import attribute_filter
from distil.sandbox.query.attribute_filter import AttributeFilter
from distil.sandbox.query.attribute_filter import FilterParser
from distil.sandbox.query.attribute_filter import InvalidFilter

NULL, KNOWN = {"a": None, "b": 1.0}, {"a": "x%y", "b": 1.0}


def _parse(tree: Any) -> AttributeFilter:
    return FilterParser("t", {"a": str, "b": float, "t": attribute_filter.to_time}).parse(tree)


class FilterParserTest(unittest.TestCase):
    def test_comparison_with_null_is_unknown(self) -> None:
        cases: tuple[tuple[Any, bool | None], ...] = (
            ({"=": {"a": "x"}}, None),
            ({"not": {"=": {"a": "x"}}}, None),
            ({"!=": {"a": "x"}}, True),
            ({"=": {"a": None}}, True),
            ({"!=": {"a": None}}, False),
            ({"in": {"a": ["x"]}}, None),
            ({"and": [{"=": {"a": "x"}}, {"=": {"b": 1}}]}, None),
            ({"and": [{"=": {"a": "x"}}, {"=": {"b": 2}}]}, False),
            ({"or": [{"=": {"a": "x"}}, {"=": {"b": 1}}]}, True),
            ({"or": [{"=": {"a": "x"}}, {"=": {"b": 2}}]}, None),
            ({}, True),
        )
        for tree, expected in cases:
            with self.subTest(tree=tree):
                self.assertIs(expected, _parse(tree).evaluate(NULL))

    def test_values_are_converted_to_attribute_type(self) -> None:
        self.assertTrue(_parse({"=": {"b": "1"}}).evaluate(KNOWN))
        self.assertFalse(_parse({"=": {"a": 1}}).evaluate(KNOWN))

    def test_like_has_two_wildcards(self) -> None:
        for pattern, expected in (("x%", True), ("x_y", True), ("x", False), ("x.y", False), ("_", False)):
            self.assertIs(expected, _parse({"like": {"a": pattern}}).evaluate(KNOWN), pattern)

    def test_conditions_restrict_candidates(self) -> None:
        one, two = {"=": {"a": "x"}}, {"in": {"a": ["x", "y"]}}
        self.assertEqual({"x"}, _parse({"and": [one, two, {"=": {"b": 1}}]}).possible_values("a"))
        self.assertEqual({"x", "y"}, _parse({"or": [one, two]}).possible_values("a"))
        for tree in ({"or": [one, {"=": {"b": 1}}]}, {"not": one}, {">": {"a": "x"}}):
            self.assertIsNone(_parse(tree).possible_values("a"))
        self.assertEqual("z", _parse({"and": [{">": {"a": "y"}}, {">": {"a": "z"}}, one]}).lower_bound("a"))
        self.assertIsNone(_parse({"or": [{">": {"a": "y"}}, one]}).lower_bound("a"))

    def test_invalid_filters_raise(self) -> None:
        cases: tuple[tuple[Any, bool, int], ...] = (
            ([], True, 400),
            ({"=": {"a": "x"}, "!=": {"a": "x"}}, True, 400),
            ({"=": "a"}, True, 400),
            ({"near": {"a": "x"}}, True, 400),
            ({"and": []}, True, 400),
            ({"=": {"c": "x"}}, False, 400),
            ({"=": {"b": "x"}}, False, 400),
            ({"=": {"t": "yesterday"}}, False, 400),
            ({"<": {"a": None}}, False, 500),
            ({"in": {"a": []}}, True, 400),
        )
        for tree, invalid_input, status in cases:
            with self.subTest(tree=tree), self.assertRaises(InvalidFilter) as raised:
                _parse(tree)
            self.assertEqual((invalid_input, status), (raised.exception.invalid_input, raised.exception.status))
