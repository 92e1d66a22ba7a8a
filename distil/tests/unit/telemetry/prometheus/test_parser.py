# SPDX-License-Identifier: Apache-2.0
"""Which series in answers are accepted."""

import unittest
from typing import Any

from hypothesis import given

from distil.telemetry.prometheus.parser import MalformedSeries
from distil.telemetry.prometheus.parser import parse_series
from distil.telemetry.prometheus.series import Series
from distil.tests.support.strategies import json_values

LABELS = {"project": "p"}


def parse(values: Any, metric: Any = LABELS, keep_all: bool = True) -> Series:
    return parse_series({"metric": metric, "values": values}, 1_000, 9_000, keep_all).series


class ParseSeriesTest(unittest.TestCase):
    def test_times_are_milliseconds(self) -> None:
        self.assertEqual(
            Series(LABELS, [1_000, 1_001, 8_999], [1.5, 1e300, -0.0]),
            parse([[1, "1.5"], [1.001, "1e+300"], [8.999, "-0"]]),
        )

    def test_sample_before_start_is_left_out(self) -> None:
        self.assertEqual(Series(LABELS, [1_000], [2.0]), parse([[0.999, "1"], [1, "2"]]))
        self.assertEqual(Series(LABELS, [], []), parse([[0.999, "1"]]))

    def test_runs_are_thinned(self) -> None:
        values = [[2, "1"], [3, "1"], [4, "1"], [5, "2"]]
        self.assertEqual([2_000, 4_000, 5_000], parse(values, keep_all=False).times)
        parsed = parse_series({"metric": LABELS, "values": values}, 1_000, 9_000, keep_all=False)
        self.assertEqual(4, parsed.samples)

    def test_special_values_are_numbers(self) -> None:
        self.assertEqual(["nan", "inf", "-inf"], list(map(str, parse([[1, "NaN"], [2, "+Inf"], [3, "-Inf"]]).values)))

    def test_malformed_samples_are_refused(self) -> None:
        samples: list[Any] = [
            None, [], {}, "x", [5], [[1]], [[1, "1", 2]], [["x", "1"]], [[None, "1"]], [[1, "many"]], [[1, 1]],
            [[1, None]], [[1, []]], [[2, "1"], [1, "1"]], [[1, "1"], [1, "2"]], [[0.998, "1"]], [[9, "1"]],
            [[1e300, "1"]], [[float("inf"), "1"]], [[float("nan"), "1"]], [[2, "1"], [9, "1"]],
        ]  # fmt: skip
        for values in samples:
            for keep_all in (True, False):
                with self.subTest(values), self.assertRaises(MalformedSeries) as caught:
                    parse(values, keep_all=keep_all)
                self.assertEqual(LABELS, caught.exception.labels)

    def test_malformed_labels_are_refused(self) -> None:
        metrics: list[Any] = [None, [], 5, "x"]
        for metric in metrics:
            with self.subTest(metric), self.assertRaises(MalformedSeries) as caught:
                parse([[1, "1"]], metric)
            self.assertEqual({}, caught.exception.labels)
        values: list[Any] = [5, None, [], "\ud800"]
        for value in values:
            with self.subTest(value), self.assertRaises(MalformedSeries) as caught:
                parse([[1, "1"]], LABELS | {"name": value})
            self.assertEqual(LABELS, caught.exception.labels)

    @given(json_values(), json_values())
    def test_anything_else_never_crashes(self, item: Any, values: Any) -> None:
        for malformed in (item, {"metric": LABELS, "values": values}, {"metric": item, "values": [[1, "1"]]}):
            try:
                parse_series(malformed, 1_000, 9_000, keep_all=False)
            except MalformedSeries:
                continue
