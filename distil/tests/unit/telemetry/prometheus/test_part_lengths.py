# SPDX-License-Identifier: Apache-2.0
"""Into how long parts periods are divided."""

import unittest

from distil.telemetry.prometheus.part_lengths import PartLengths
from distil.telemetry.prometheus.selector import Selector

METRIC = Selector("m")
HOUR = 3_600_000


class PartLengthsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.lengths = PartLengths(target=1000)

    def test_first_part_is_short(self) -> None:
        self.assertEqual(HOUR / 8, self.lengths.next(METRIC, HOUR))
        self.assertEqual(60_000, self.lengths.next(METRIC, 60_000))

    def test_answers_approach_target(self) -> None:
        self.lengths.record(METRIC, 60_000, 100)
        self.assertEqual(HOUR / 6, self.lengths.next(METRIC, HOUR))
        self.lengths.record(METRIC, 60_000, 10)
        self.assertEqual(HOUR, self.lengths.next(METRIC, HOUR))

    def test_rest_is_divided_evenly(self) -> None:
        self.lengths.record(METRIC, HOUR, 900)
        self.assertEqual(HOUR * 0.6, self.lengths.next(METRIC, int(HOUR * 1.2)))

    def test_nothing_found_needs_one_part(self) -> None:
        self.lengths.record(METRIC, 1000, 0)
        self.assertEqual(HOUR, self.lengths.next(METRIC, HOUR))

    def test_selectors_are_independent(self) -> None:
        self.lengths.record(METRIC, HOUR, 100_000)
        self.lengths.record(Selector("n"), HOUR, 1)
        self.assertEqual(HOUR, self.lengths.next(Selector("n"), HOUR))

    def test_refusal_halves_parts_for_a_while(self) -> None:
        self.lengths.record(METRIC, HOUR, 1)
        self.lengths.halve(METRIC, HOUR)
        self.assertEqual(HOUR / 2, self.lengths.next(METRIC, HOUR))
        for _ in range(8):
            self.lengths.record(METRIC, HOUR, 1)
        self.assertEqual(HOUR, self.lengths.next(METRIC, HOUR))

    def test_parts_are_whole_seconds(self) -> None:
        self.lengths.record(METRIC, 1000, 10**9)
        self.assertEqual(1000, self.lengths.next(METRIC, HOUR))
        self.lengths.record(METRIC, 7_000, 1000)
        self.assertEqual(7_000, self.lengths.next(METRIC, HOUR))
