# SPDX-License-Identifier: Apache-2.0
"""How many samples of a series tell as much as all."""

import itertools
import math
import unittest

from hypothesis import given
from hypothesis import strategies as st

from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.series import join
from distil.telemetry.prometheus.series import thin


class ThinTest(unittest.TestCase):
    def test_runs_keep_first_and_last(self) -> None:
        self.assertEqual([0, 2, 3, 4, 5, 7], thin(range(8), [1, 1, 1, 2, 1, 3, 3, 3]))
        self.assertEqual([0, 3], thin(range(4), [math.nan] * 4))
        self.assertEqual([], thin([], []))
        self.assertEqual([0], thin([5], [1]))

    @given(st.lists(st.sampled_from([0.0, 1.0, math.nan]), max_size=30))
    def test_values_at_all_times_are_unchanged(self, values: list[float]) -> None:
        kept = thin(range(len(values)), values)
        restored = [values[max(index for index in kept if index <= position)] for position in range(len(values))]
        self.assertEqual(list(map(repr, values)), list(map(repr, restored)))
        for first, second, third in zip(kept, kept[1:], kept[2:], strict=False):
            self.assertGreater(len({repr(values[index]) for index in (first, second, third)}), 1)


class SeriesTest(unittest.TestCase):
    def test_within_is_half_open(self) -> None:
        series = Series({}, [1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0])
        self.assertEqual(Series({}, [2, 3], [2.0, 3.0]), series.within(2, 4))

    def test_join_continues_each_series(self) -> None:
        one, other = {"a": "1", "b": "2"}, {"a": "1"}
        parts = [
            Series(one, [1], [1.0]),
            Series(other, [1], [5.0]),
            Series(dict(reversed(one.items())), [2, 3], [2.0, 3.0]),
        ]
        self.assertEqual([Series(one, [1, 2, 3], [1.0, 2.0, 3.0]), Series(other, [1], [5.0])], join(parts))

    @given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=4))
    def test_thinned_parts_thin_to_same(self, parts: list[list[int]]) -> None:
        values = list(itertools.chain.from_iterable(parts))
        times = iter(range(len(values)))
        thinned = []
        for part in parts:
            part_times = [next(times) for _ in part]
            kept = thin(part_times, part)
            thinned.append(Series({}, [part_times[index] for index in kept], [float(part[index]) for index in kept]))
        for series in join(thinned):
            kept = [series.times[index] for index in thin(series.times, series.values)]
            self.assertEqual(thin(range(len(values)), values), kept)
