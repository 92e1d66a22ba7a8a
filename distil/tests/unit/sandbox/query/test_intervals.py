# SPDX-License-Identifier: Apache-2.0
"""Tests of sets of moments."""

import unittest

import hypothesis
from hypothesis import strategies

from distil.sandbox.query import intervals

MOMENTS = range(-2, 12)
PERIODS = strategies.sets(strategies.integers(0, 10)).map(
    lambda members: intervals.complement(
        intervals.complement(tuple((member, member + 1) for member in sorted(members))),
    )
)


def _members(found: intervals.Intervals) -> set[int]:
    return {moment for moment in MOMENTS if intervals.contains(found, moment)}


class IntervalSetTest(unittest.TestCase):
    @hypothesis.given(PERIODS, PERIODS)
    def test_operations_match_set_operations(self, left: intervals.Intervals, right: intervals.Intervals) -> None:
        self.assertEqual(_members(left) & _members(right), _members(intervals.intersection(left, right)))
        self.assertEqual(_members(left) | _members(right), _members(intervals.union(left, right)))
        self.assertEqual(set(MOMENTS) - _members(left), _members(intervals.complement(left)))

    def test_operators_are_exact_to_one_microsecond(self) -> None:
        expected = {"<": {4}, "<=": {4, 5}, ">": {6}, ">=": {5, 6}, "=": {5}, "!=": {4, 6}}
        for operator, members in expected.items():
            found = intervals.satisfying(operator, 5)
            assert found is not None
            self.assertEqual(members, _members(found) & {4, 5, 6}, operator)

    def test_time_zone_is_dropped_without_conversion(self) -> None:
        plain = intervals.parse_without_zone("2026-01-01T10:00:00")
        for text in ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00+05:00"):
            self.assertEqual(plain, intervals.parse_without_zone(text))
