# SPDX-License-Identifier: Apache-2.0
"""Totals of two usages."""

import unittest
from collections.abc import Sequence
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil.rating.usage_totals import Change
from distil.rating.usage_totals import ServiceTotal
from distil.rating.usage_totals import UsageTotals
from distil.tests.support import strategies

Window = tuple[str, list[model.Usage], list[model.Usage]]


def usage() -> st.SearchStrategy[list[model.Usage]]:
    entries = st.builds(
        model.Usage, st.sampled_from("ab"), st.sampled_from("rs"), st.sampled_from("uv"), strategies.volumes()
    )
    return st.lists(entries, unique_by=lambda entry: (entry.service, entry.resource_id))


def windows() -> st.SearchStrategy[list[Window]]:
    return st.lists(st.tuples(st.sampled_from("pq"), usage(), usage()), max_size=6)


def totals(found: Sequence[Window]) -> UsageTotals:
    result = UsageTotals()
    for project_id, before, after in found:
        result.add(project_id, before, after)
    return result


def sums(entries: Sequence[model.Usage]) -> Decimal:
    return sum((entry.volume for entry in entries), Decimal(0))


class UsageTotalsTest(unittest.TestCase):
    @hypothesis.given(windows())
    def test_differences_add_up_to_difference_of_sums(self, found: list[Window]) -> None:
        expected = sum((sums(after) - sums(before) for _, before, after in found), Decimal(0))
        for rows in (totals(found).by_project(), totals(found).by_service()):
            self.assertEqual(expected, sum((row.difference for row in rows), Decimal(0)))

    @hypothesis.given(windows())
    def test_equal_usages_have_no_change(self, found: list[Window]) -> None:
        rows = totals([(project_id, before, before[::-1]) for project_id, before, _ in found]).by_project()
        self.assertEqual({(0, None, 0)} if rows else set(), {(row.entries, row.change, row.difference) for row in rows})

    @hypothesis.given(windows())
    def test_order_of_windows_does_not_matter(self, found: list[Window]) -> None:
        self.assertEqual(totals(found).by_project(), totals(found[::-1]).by_project())

    def test_differences_that_cancel_out_are_a_change(self) -> None:
        one, two = (model.Usage("s", "r", "GB", Decimal(volume)) for volume in (1, 2))
        (row,) = totals([("p", [one], [two]), ("p", [two], [one])]).by_service()
        self.assertEqual(ServiceTotal(None, "s", "GB", Decimal(3), Decimal(3), 2, Change.VOLUME), row)

    def test_change_of_unit_is_told_from_new_service(self) -> None:
        gigabytes, terabytes, new = (
            model.Usage(*key, Decimal(1)) for key in (("s", "r", "GB"), ("s", "r", "TB"), ("t", "r", "TB"))
        )
        rows = totals([("p", [gigabytes], [terabytes, new]), ("q", [new], [])]).by_project()
        expected = [
            ("p", "s", Change.UNIT),
            ("p", "s", Change.UNIT),
            ("p", "t", Change.APPEARS),
            ("q", "t", Change.VANISHES),
        ]
        self.assertEqual(expected, [(row.project_id, row.service, row.change) for row in rows])

    def test_sums_of_large_volumes_are_exact(self) -> None:
        large = model.Usage("s", "r", "byte", Decimal("1234567890123456789012345678.0000000001"))
        (row,) = totals([("p", [large], []) for _ in range(3)]).by_service()
        self.assertEqual(Decimal("-3703703670370370367037037034.0000000003"), row.difference)
