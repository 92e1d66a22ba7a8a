# SPDX-License-Identifier: Apache-2.0
"""Usage compared with that of another system."""

import unittest
from decimal import ROUND_HALF_UP
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil.rating.parity import Cause
from distil.rating.parity import ParityTotals
from distil.rating.parity import Precision
from distil.rating.parity import compare_window
from distil.tests.support import strategies


def usage() -> st.SearchStrategy[list[model.Usage]]:
    entries = st.builds(
        model.Usage, st.sampled_from("ab"), st.sampled_from("rst"), st.sampled_from("uv"), strategies.volumes()
    )
    return st.lists(entries, unique_by=lambda entry: (entry.service, entry.resource_id))


def entry(volume: str, unit: str = "GB", service: str = "s") -> model.Usage:
    return model.Usage(service, "r", unit, Decimal(volume))


def causes(here: list[model.Usage], there: list[model.Usage], precision: Precision | None = None) -> list[Cause]:
    return [pair.cause for pair in compare_window(here, there, precision or Precision())]


class ParityTest(unittest.TestCase):
    @hypothesis.given(usage(), usage())
    def test_every_entry_is_in_one_pair(self, here: list[model.Usage], there: list[model.Usage]) -> None:
        pairs = list(compare_window(here, there, Precision()))
        self.assertCountEqual(here, [pair.here for pair in pairs if pair.here])
        self.assertCountEqual(there, [pair.there for pair in pairs if pair.there])
        for pair in pairs:
            self.assertEqual(pair.here == pair.there, pair.cause is Cause.EQUAL)

    @hypothesis.given(usage(), usage())
    def test_totals_are_sums_of_both_sides(self, here: list[model.Usage], there: list[model.Usage]) -> None:
        totals = ParityTotals()
        for pair in compare_window(here, there, Precision()):
            totals.add(pair)
        self.assertEqual(sum(each.volume for each in here), sum(row.here for row in totals.rows))
        self.assertEqual(sum(each.volume for each in there), sum(row.there for row in totals.rows))
        changes = sum(each.volume for each in there) - sum(each.volume for each in here)
        self.assertEqual(changes, sum(row.difference for row in totals.rows))

    @hypothesis.given(strategies.volumes())
    def test_rounded_volume_is_told_from_other_volume(self, volume: Decimal) -> None:
        rounded = volume.quantize(Decimal("0.01"), ROUND_HALF_UP)
        precision = Precision(scale=2)
        expected = Cause.EQUAL if volume == rounded else Cause.ROUNDING
        self.assertEqual(expected, precision.compare(volume, rounded))
        self.assertEqual(Cause.VOLUME, precision.compare(volume, rounded + Decimal("0.01")))
        self.assertEqual(expected.replace("rounding", "volume"), Precision().compare(volume, rounded))

    def test_causes_of_differences(self) -> None:
        self.assertEqual([Cause.EQUAL], causes([entry("1")], [entry("1.0")]))
        self.assertEqual([Cause.VOLUME], causes([entry("1")], [entry("2")]))
        self.assertEqual([Cause.UNIT], causes([entry("1")], [entry("1", "TB")]))
        self.assertEqual([Cause.ONLY_HERE, Cause.ONLY_THERE], causes([entry("1")], [entry("1", service="t")]))

    def test_tolerance_includes_its_bound(self) -> None:
        precision = Precision(tolerance=Decimal("0.5"))
        self.assertEqual([Cause.TOLERANCE], causes([entry("1")], [entry("1.5")], precision))
        self.assertEqual([Cause.VOLUME], causes([entry("1")], [entry("1.51")], precision))
        self.assertEqual([Cause.UNIT], causes([entry("1")], [entry("1.1", "TB")], precision))

    def test_half_is_rounded_up(self) -> None:
        for volume, rounded in (("0.125", "0.13"), ("0.115", "0.12"), ("0.124", "0.12"), ("2.675", "2.68")):
            self.assertEqual([Cause.ROUNDING], causes([entry(volume)], [entry(rounded)], Precision(2)), volume)

    def test_accepted_causes_agree(self) -> None:
        totals = ParityTotals()
        for pair in compare_window([entry("0.125")], [entry("0.13")], Precision(2)):
            totals.add(pair)
        self.assertTrue(totals.agrees)
        for pair in compare_window([entry("1")], [], Precision(2)):
            totals.add(pair)
        self.assertFalse(totals.agrees)
        self.assertEqual((2, 1), (totals.count(), totals.count(Cause.ONLY_HERE)))
