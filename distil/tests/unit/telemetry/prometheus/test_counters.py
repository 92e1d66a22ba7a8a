# SPDX-License-Identifier: Apache-2.0
"""What counters are found to have counted."""

import itertools
import math
import unittest
from collections.abc import Iterable
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from distil.telemetry.prometheus.counter_samples import ConflictingSeries
from distil.telemetry.prometheus.counters import increases
from distil.telemetry.prometheus.counters import look_back
from distil.telemetry.prometheus.series import Series

_MAX_GAP = 50


def series(name: str, *samples: tuple[int, float], **labels: str) -> Series:
    return Series({"name": name, **labels}, [time for time, _ in samples], [value for _, value in samples])


def total(
    items: Sequence[Series],
    start: int = 0,
    end: int = 1000,
    from_zero: bool = False,
    replica_labels: Sequence[str] = (),
) -> Decimal:
    return sum(
        (Decimal(found.amount) for found in increases(items, start, end, _MAX_GAP, from_zero, replica_labels)),
        Decimal(0),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, float]]:
    """Draw a resource's counter: times with short and long gaps, and values that grow and begin again at zero."""
    gaps = draw(st.lists(st.sampled_from([1, 10, _MAX_GAP, _MAX_GAP + 1, 200]), min_size=1, max_size=25))
    steps = draw(st.lists(st.integers(-1, 2**40), min_size=len(gaps), max_size=len(gaps)))
    value, samples = 0, []
    for time, step in zip(itertools.accumulate(gaps), steps, strict=True):
        value = 0 if step < 0 else value + step
        samples.append((time, float(value)))
    return samples


def naive(samples: Sequence[tuple[int, float]], from_zero: bool) -> int:
    """Return what was counted, sample by sample."""
    counted = int(samples[0][1]) if from_zero else 0
    for (earlier, before), (later, value) in itertools.pairwise(samples):
        if later - earlier > _MAX_GAP:
            counted += int(value) if from_zero else 0
        else:
            counted += int(value - before if value >= before else value)
    return counted


class IncreasesTest(unittest.TestCase):
    @given(histories(), st.lists(st.integers(0, 5000), max_size=6), st.booleans(), st.data())
    def test_windows_add_up_wherever_cut(
        self, samples: list[tuple[int, float]], cuts: list[int], from_zero: bool, data: st.DataObject
    ) -> None:
        names = data.draw(st.lists(st.sampled_from("abc"), min_size=len(samples), max_size=len(samples)))
        items = [
            series(name, *(sample for sample, owner in zip(samples, names, strict=True) if owner == name))
            for name in sorted(set(names))
        ]
        edges = sorted({0, 5001, *cuts})
        found = Decimal(0)
        for start, end in itertools.pairwise(edges):
            seen = [item.within(start - _MAX_GAP, end) for item in items]
            try:
                found += total([item for item in seen if item.times], start, end, from_zero)
            except ConflictingSeries:
                return  # labels that change back and forth with each sample look like two series
        self.assertEqual(naive(samples, from_zero), found)

    def test_difference_is_of_later_window(self) -> None:
        counter = [series("a", (90, 1.0), (110, 5.0))]
        self.assertEqual([0, 4], [total(counter, 0, 100), total(counter, 100, 200)])

    def test_fall_counts_from_zero(self) -> None:
        self.assertEqual(4 + 2 + 1, total([series("a", (10, 1.0), (20, 5.0), (30, 2.0), (40, 3.0))]))

    def test_label_change_continues(self) -> None:
        self.assertEqual(9, total([series("a", (10, 1.0), (20, 5.0)), series("b", (30, 8.0), (40, 10.0))]))

    def test_each_series_has_its_share(self) -> None:
        found = increases([series("a", (10, 1.0), (20, 5.0)), series("b", (30, 8.0))], 0, 100, _MAX_GAP)
        self.assertEqual(
            [("a", 20, 4), ("b", 30, 3)], [(each.labels["name"], each.time, each.amount) for each in found]
        )

    def test_labels_may_change_for_a_while(self) -> None:
        self.assertEqual(
            6, total([series("a", (0, 1.0), (10, 2.0), (40, 5.0), (50, 7.0)), series("b", (20, 3.0), (30, 4.0))])
        )

    def test_long_gap_begins_anew(self) -> None:
        counter = [series("a", (10, 100.0), (10 + _MAX_GAP + 1, 130.0), (70, 131.0))]
        self.assertEqual((1, 100 + 130 + 1), (total(counter), total(counter, from_zero=True)))

    def test_fractions_are_exact(self) -> None:
        self.assertEqual(Decimal("0.2"), total([series("a", (10, 0.1), (20, 0.3))]))

    def test_large_values_are_exact(self) -> None:
        self.assertEqual(2**53 + 2, total([series("a", (10, 0.0), (20, 2.0**53 + 2))]))

    def test_impossible_values_are_returned_and_skipped(self) -> None:
        values = (1.0, math.nan, math.inf, -math.inf, -1.0, 4.0)
        found = increases([series("a", *((10 * index, value) for index, value in enumerate(values)))], 0, 100, _MAX_GAP)
        self.assertEqual(["3", "nan", "inf", "-inf", "-1.0"], [str(each.amount) for each in found])

    def test_nothing_in_window_yields_nothing(self) -> None:
        self.assertEqual([], increases([series("a", (10, 1.0))], 20, 30, _MAX_GAP))
        self.assertEqual([], increases([], 20, 30, _MAX_GAP))

    def test_only_baseline_counts_zero(self) -> None:
        self.assertEqual([0], [each.amount for each in increases([series("a", (10, 7.0))], 0, 100, _MAX_GAP)])


class ConflictTest(unittest.TestCase):
    def test_different_values_at_one_time_conflict(self) -> None:
        with self.assertRaises(ConflictingSeries) as caught:
            total([series("a", (10, 1.0), (20, 2.0)), series("b", (20, 9.0), (30, 10.0))])
        self.assertEqual(["a", "b"], [labels["name"] for labels in caught.exception.labels])

    def test_equal_values_at_one_time_count_once(self) -> None:
        same = ((10, 1.0), (20, 5.0), (30, 2.0))
        self.assertEqual(6, total([series("a", *same), series("b", *same)]))

    def test_interspersed_series_conflict(self) -> None:
        one, other = ([(10 * index + shift, float(index)) for index in range(6)] for shift in (0, 3))
        with self.assertRaises(ConflictingSeries):
            total([series("a", *one), series("b", *other)])


class ReplicasTest(unittest.TestCase):
    """Series of a counter that grows by one in each unit of time, unless the test says otherwise."""

    def total(self, *items: Series, start: int = 0, end: int = 1000) -> Decimal:
        first = start - look_back(_MAX_GAP, ["name"])
        return total([item.within(first, end) for item in items], start, end, replica_labels=["name"])

    def replica(self, name: str, times: Iterable[int]) -> Series:
        return series(name, *((time, float(time)) for time in times))

    def test_one_replica_counts(self) -> None:
        replicas = [self.replica("a", range(0, 500, 10)), self.replica("b", range(3, 500, 10))]
        self.assertEqual(490, self.total(*replicas))
        windows = [self.total(*replicas, start=start, end=start + 100) for start in range(0, 500, 100)]
        self.assertEqual([90, 100, 100, 100, 100], windows)

    @given(st.integers(0, 400), st.integers(1, 300))
    def test_takeover_keeps_windows_adding_up(self, end: int, cut: int) -> None:
        replicas = [self.replica("a", range(0, end + 1, 10)), self.replica("b", range(3, 500, 10))]
        windows = self.total(*replicas, end=cut) + self.total(*replicas, start=cut, end=500)
        self.assertEqual(493, windows)

    def test_takeover_waits_for_gap(self) -> None:
        replicas = [self.replica("a", range(0, 91, 10)), self.replica("b", range(3, 500, 10))]
        self.assertEqual(
            [90, 0, 63],
            [self.total(*replicas, start=start, end=end) for start, end in ((0, 100), (100, 140), (140, 155))],
        )

    def test_late_replica_begins_nothing_anew(self) -> None:
        ahead = series("a", (0, 1000.0), (10, 1010.0))
        behind = series("b", (1, 999.0), (11, 1000.0), (61, 1009.0), (71, 1020.0))
        self.assertEqual(10 + 0 + 11, self.total(ahead, behind))

    def test_reset_is_seen_at_takeover(self) -> None:
        replicas = [series("a", (0, 90.0), (10, 100.0)), series("b", (1, 91.0), (41, 95.0), (61, 5.0))]
        self.assertEqual(10 + 5, self.total(*replicas))

    def test_other_labels_still_conflict(self) -> None:
        one, other = ([(10 * index, float(index * factor)) for index in range(4)] for factor in (1, 2))
        with self.assertRaises(ConflictingSeries):
            self.total(series("a", *one, port="1"), series("b", *other, port="2"))
