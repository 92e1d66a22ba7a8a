# SPDX-License-Identifier: Apache-2.0
import unittest

from hypothesis import given
from hypothesis import strategies as st

from distil.collector import vanished
from distil.collector.vanished import Loss
from distil.model import MeterCount

UNITS = st.sampled_from((None, "B", "GB"))
METERS = st.dictionaries(st.sampled_from(("cpu", "ip", "volume")), st.builds(MeterCount, st.just(1), st.just(1), UNITS))


class LossesTest(unittest.TestCase):
    def test_meter_is_gone(self) -> None:
        self.assertEqual([Loss("cpu")], vanished.losses({"cpu": MeterCount(1, 1, "ns")}, {}))

    def test_unit_has_changed(self) -> None:
        before, after = {"ip": MeterCount(1, 1, "B")}, {"ip": MeterCount(2, 1, "GB")}
        (loss,) = vanished.losses(before, after)
        self.assertEqual("meter ip changed its unit from B to GB", str(loss))

    def test_missing_unit_is_no_loss(self) -> None:
        before, after = {"ip": MeterCount(1, 1, "B")}, {"ip": MeterCount(2, 1, None)}
        self.assertEqual([], vanished.losses(before, after) + vanished.losses(after, before))

    @given(METERS, METERS)
    def test_previous_window_contradicts_every_loss(self, before: vanished.Meters, after: vanished.Meters) -> None:
        for loss in vanished.losses(before, after):
            self.assertTrue(vanished.is_contradicted(loss, vanished.shown(before)))
            self.assertFalse(vanished.is_contradicted(loss, vanished.shown(after)))

    @given(METERS)
    def test_same_meters_lose_nothing(self, meters: vanished.Meters) -> None:
        self.assertEqual([], vanished.losses(meters, meters))


class ReasonTest(unittest.TestCase):
    @given(st.integers(1, 20), st.integers(1, 20_000), st.text(max_size=50))
    def test_window_is_held_for_as_many_runs(self, patience: int, projects: int, meter: str) -> None:
        runs, failure = 0, None
        while (more := vanished.more_runs(failure, patience)) >= 0:
            failure = vanished.reason([Loss(meter), Loss("other")], projects, more)
            runs += 1
        self.assertEqual(patience, runs)

    def test_other_failure_does_not_count(self) -> None:
        self.assertEqual(2, vanished.more_runs("telemetry failed", 3))

    def test_smaller_patience_counts(self) -> None:
        self.assertEqual(0, vanished.more_runs(vanished.reason([Loss("cpu")], 10, 9), 1))
