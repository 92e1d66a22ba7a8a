# SPDX-License-Identifier: Apache-2.0
import datetime
import unittest

import prometheus_client

from distil import model
from distil.monitoring.sample_delay import SampleDelays
from distil.monitoring.sample_delay import sample_delays

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def sample(recorded_at: object) -> model.Sample:
    return model.Sample("p", "m", "r", START, 1, "openstack", {}, {"recorded_at": recorded_at})


class SampleDelaysTest(unittest.TestCase):
    def test_delay_is_from_timestamp_to_recording(self) -> None:
        samples = [sample("2026-01-01T00:02:03.5"), sample("2026-01-01T01:02:03+01:00"), sample("2026-01-01T02:00:00")]
        self.assertEqual({123.5: 1, 123: 1, 7200: 1}, sample_delays(samples))

    def test_recorded_before_timestamp_is_no_delay(self) -> None:
        self.assertEqual({0: 1}, sample_delays([sample("2025-12-31T23:59:00")]))

    def test_samples_without_recording_are_left_out(self) -> None:
        values: list[object] = [None, 7, "soon", [], {}]
        self.assertEqual({}, sample_delays(map(sample, values)))

    def test_histogram_is_cumulative(self) -> None:
        registry = prometheus_client.CollectorRegistry()
        delays = SampleDelays()
        registry.register(delays)
        delays.observe([sample("2026-01-01T00:00:59"), sample("2026-01-01T00:01:00"), sample("2026-02-01T00:00:00")])
        values = {
            bound: registry.get_sample_value("distil_collector_sample_delay_seconds_bucket", {"le": bound})
            for bound in ("60.0", "300.0", "604800.0", "+Inf")
        }
        self.assertEqual({"60.0": 2, "300.0": 2, "604800.0": 2, "+Inf": 3}, values)
        total = registry.get_sample_value("distil_collector_sample_delay_seconds_sum")
        self.assertEqual(59 + 60 + 31 * 86400, total)
