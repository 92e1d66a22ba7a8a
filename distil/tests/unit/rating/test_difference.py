# SPDX-License-Identifier: Apache-2.0
"""Differences of usage."""

import unittest
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil.rating.difference import UsageDifference
from distil.rating.difference import find_differences
from distil.tests.support import strategies


def usage() -> st.SearchStrategy[list[model.Usage]]:
    entries = st.builds(
        model.Usage, st.sampled_from("ab"), st.sampled_from("rs"), st.sampled_from("uv"), strategies.volumes()
    )
    return st.lists(entries, unique_by=lambda entry: (entry.service, entry.resource_id))


class DifferenceTest(unittest.TestCase):
    @hypothesis.given(usage(), usage())
    def test_changes_lead_from_one_to_the_other(self, before: list[model.Usage], after: list[model.Usage]) -> None:
        totals: dict[tuple[str, str, str], Decimal] = {}
        for entry in before:
            totals[entry.service, entry.resource_id, entry.unit] = entry.volume
        for found in find_differences(before, after):
            key = found.service, found.resource_id, found.unit
            totals[key] = totals.get(key, Decimal(0)) + found.change
            if found.after is None:
                self.assertEqual(0, totals.pop(key))
        self.assertEqual({(entry.service, entry.resource_id, entry.unit): entry.volume for entry in after}, totals)

    @hypothesis.given(usage(), st.randoms())
    def test_equal_usage_has_none(self, entries: list[model.Usage], random: object) -> None:
        self.assertEqual([], find_differences(entries, entries[::-1]))

    def test_other_unit_is_two_differences(self) -> None:
        before, after = (model.Usage("s", "r", unit, Decimal(1)) for unit in ("GB", "TB"))
        expected = [
            UsageDifference("s", "r", "GB", Decimal(1), None),
            UsageDifference("s", "r", "TB", None, Decimal(1)),
        ]
        self.assertEqual(expected, find_differences([before], [after]))
