# SPDX-License-Identifier: Apache-2.0
"""Tests of the query parser."""

import json
import unittest
from typing import Any

from distil.sandbox.query import intervals
from distil.sandbox.query import parser
from distil.sandbox.query.conditions import ParsedQuery
from distil.sandbox.query.intervals import IntervalSet
from distil.sandbox.query.parser import SimpleCondition
from distil.sandbox.query.parser import SortKey


class Record:
    def __init__(self, **values: str) -> None:
        self._values = values

    def field_value(self, field: str) -> Any:
        return self._values.get(field)


def _holds(filter_: object, **values: str) -> bool:
    return parser.parse_complex(json.dumps(filter_)).matching_times(Record(**values)) == intervals.ALWAYS


def _parse(*conditions: tuple[str, str, str]) -> ParsedQuery:
    return parser.parse_simple([SimpleCondition(*condition) for condition in conditions])


class ComplexQueryTest(unittest.TestCase):
    def test_operators_compare_field_values(self) -> None:
        for operator, wanted, holds in (
            ("=", "b", True),
            ("!=", "b", False),
            ("<", "c", True),
            (">=", "b", True),
            ("=>", "c", False),
            ("=~", "^b", True),
            ("in", ["a", "b"], True),
            ("in", ["a"], False),
        ):
            self.assertIs(holds, _holds({operator: {"resource_id": wanted}}, resource_id="b"), (operator, wanted))

    def test_logical_operators_nest_and_ignore_case(self) -> None:
        a, b = {"=": {"meter": "a"}}, {"=": {"project": "p"}}
        self.assertTrue(_holds({"AND": [a, b]}, meter="a", project_id="p"))
        self.assertFalse(_holds({"and": [a, b]}, meter="a", project_id="q"))
        self.assertTrue(_holds({"or": [a, {"Not": b}]}, meter="b", project_id="q"))

    def test_legacy_field_names_are_accepted(self) -> None:
        self.assertTrue(_holds({"=": {"counter_name": "a"}}, meter="a"))

    def test_metadata_is_compared_as_strings(self) -> None:
        values = {"metadata.flavor.id": "42"}
        self.assertTrue(_holds({"=": {"metadata.flavor.id": "42"}}, **values))
        self.assertFalse(_holds({"=": {"metadata.flavor.id": 42}}, **values))

    def test_invalid_query_raises(self) -> None:
        leaf = {"=": {"meter": "a"}}
        refused: tuple[Any, ...] = (
            {"and": [leaf]},
            {"and": leaf},
            {},
            {"=": {"meter": "a", "project_id": "b"}},
            {"like": {"meter": "a"}},
            {"=": {"colour": "red"}},
            {"in": {"meter": []}},
            {"in": {"metadata.name": ["a"]}},
            {"=": {"meter": None}},
            {">": {"timestamp": "yesterday"}},
            {"=": {"source": "openstack"}},
            [],
        )
        for bad in refused:
            with self.assertRaises(parser.InvalidQuery, msg=str(bad)):
                parser.parse_complex(json.dumps(bad))

    def test_candidate_projects_are_found(self) -> None:
        two = {"in": {"project_id": ["a", "b"]}}
        for filter_, expected in (
            (two, {"a", "b"}),
            ({"and": [two, {"=": {"project": "b"}}]}, {"b"}),
            ({"or": [two, {"=": {"project": "c"}}]}, {"a", "b", "c"}),
            ({"or": [two, {"=": {"meter": "c"}}]}, None),
            ({"not": two}, None),
        ):
            found = parser.parse_complex(json.dumps(filter_)).possible_values("project_id")
            self.assertEqual(expected, found)


class SimpleQueryTest(unittest.TestCase):
    def test_last_condition_on_field_wins(self) -> None:
        query = _parse(("project", "eq", "a"), ("project_id", "eq", "b"))
        self.assertEqual(intervals.ALWAYS, query.matching_times(Record(project_id="b")))
        self.assertEqual(intervals.NEVER, query.matching_times(Record(project_id="a")))

    def test_lower_and_upper_bounds_combine(self) -> None:
        bounds = [("timestamp", "ge", "1970-01-01T00:00:01"), ("timestamp", "lt", "1970-01-01T00:00:03")]
        self.assertEqual(IntervalSet(((1_000_000, 3_000_000),)), _parse(*bounds).matching_times(Record()))
        later = [*bounds, ("timestamp", "le", "1970-01-01T00:00:02")]
        self.assertEqual(IntervalSet(((1_000_000, 2_000_001),)), _parse(*later).matching_times(Record()))

    def test_empty_value_excludes_nothing(self) -> None:
        query = _parse(("project", "eq", "a"), ("project", "eq", ""), ("timestamp", "ge", ""))
        self.assertEqual(intervals.ALWAYS, query.matching_times(Record(project_id="b")))

    def test_invalid_condition_raises(self) -> None:
        for bad in (
            ("timestamp", "eq", "2026-01-01T00:00:00"),
            ("timestamp", "ge", "yesterday"),
            ("meter", "ge", "a"),
            ("colour", "eq", "red"),
        ):
            with self.assertRaises(parser.InvalidQuery, msg=str(bad)):
                _parse(bad)


class OrderByTest(unittest.TestCase):
    def test_fields_and_directions_are_parsed(self) -> None:
        text = '[{"timestamp": "ASC"}, {"counter_name": "desc"}]'
        self.assertEqual([SortKey("timestamp", False), SortKey("meter", True)], parser.parse_order(text))

    def test_invalid_order_raises(self) -> None:
        for bad in (
            '{"timestamp": "asc"}',
            "{}",
            '[{"timestamp": "up"}]',
            '[{"colour": "asc"}]',
            '[{"timestamp": 1}]',
            "x",
        ):
            with self.assertRaises(parser.InvalidQuery, msg=bad):
                parser.parse_order(bad)
