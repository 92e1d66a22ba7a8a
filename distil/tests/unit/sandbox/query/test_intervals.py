# SPDX-License-Identifier: Apache-2.0
"""Tests of sets of times."""

import unittest

import hypothesis
from hypothesis import strategies

from distil.sandbox.query import intervals
from distil.sandbox.query.intervals import IntervalSet

TIMES = range(-2, 12)
# Complementing twice merges adjacent intervals.
INTERVAL_SETS = strategies.sets(strategies.integers(0, 10)).map(
    lambda members: ~~IntervalSet(tuple((member, member + 1) for member in sorted(members)))
)


def _members(times: IntervalSet) -> set[int]:
    return {time_us for time_us in TIMES if time_us in times}


class IntervalSetTest(unittest.TestCase):
    @hypothesis.given(INTERVAL_SETS, INTERVAL_SETS)
    def test_operations_match_set_operations(self, left: IntervalSet, right: IntervalSet) -> None:
        self.assertEqual(_members(left) & _members(right), _members(left & right))
        self.assertEqual(_members(left) | _members(right), _members(left | right))
        self.assertEqual(set(TIMES) - _members(left), _members(~left))
        self.assertIs(bool(_members(left)), bool(left))

    def test_operators_are_exact_to_one_microsecond(self) -> None:
        expected = {"<": {4}, "<=": {4, 5}, ">": {6}, ">=": {5, 6}, "=": {5}, "!=": {4, 6}}
        for operator, members in expected.items():
            self.assertEqual(members, _members(intervals.satisfying(operator, 5)) & {4, 5, 6}, operator)

    def test_unsupported_operator_raises(self) -> None:
        for operator in ("=~", "in"):
            with self.assertRaises(ValueError):
                intervals.satisfying(operator, 5)

    def test_time_zone_is_dropped_without_conversion(self) -> None:
        plain = intervals.parse_ignoring_zone("2026-01-01T10:00:00")
        for text in ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00+05:00"):
            self.assertEqual(plain, intervals.parse_ignoring_zone(text))
