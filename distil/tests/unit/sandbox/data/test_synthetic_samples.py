# SPDX-License-Identifier: Apache-2.0
"""Tests of synthetic samples."""

import datetime
import unittest

from distil.sandbox.data import ids
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.synthetic_samples import SyntheticSamples

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
PROJECT = ids.project_id(0, 0)


def _synthetic_samples(seed: int = 0, resources: int = 4) -> SyntheticSamples:
    return SyntheticSamples(seed, range(2), resources, START, START + 24 * HOUR)


class SyntheticSamplesTest(unittest.TestCase):
    def test_every_meter_has_ten_minute_samples(self) -> None:
        for meter in METERS:
            samples = list(_synthetic_samples().samples(PROJECT, meter, START, START + HOUR))
            self.assertEqual(4 * 6, len(samples), meter)
            self.assertEqual({meter}, {sample["meter"] for sample in samples})
            self.assertEqual(4, len({sample["resource_id"] for sample in samples}), meter)

    def test_sample_ids_are_unique(self) -> None:
        samples = [
            sample["id"]
            for number in range(2)
            for meter in METERS
            for sample in _synthetic_samples().samples(ids.project_id(0, number), meter, START, START + HOUR)
        ]
        self.assertEqual(len(samples), len(set(samples)))

    def test_periods_are_half_open(self) -> None:
        boundary = START + datetime.timedelta(minutes=30)
        synthetic = _synthetic_samples()
        whole = list(synthetic.samples(PROJECT, "router", START, START + HOUR))
        parts = [
            *synthetic.samples(PROJECT, "router", START, boundary),
            *synthetic.samples(PROJECT, "router", boundary, START + HOUR),
        ]
        self.assertCountEqual([sample["id"] for sample in whole], [sample["id"] for sample in parts])
        self.assertIn(boundary.replace(tzinfo=None).isoformat(), [sample["timestamp"] for sample in whole])

    def test_whole_seconds_omit_fraction(self) -> None:
        lengths = {
            len(sample["timestamp"]) for sample in _synthetic_samples().samples(PROJECT, "router", START, START + HOUR)
        }
        self.assertEqual({len("2026-01-01T00:00:00"), len("2026-01-01T00:00:00.000250")}, lengths)

    def test_seed_determines_volumes(self) -> None:
        def traffic(seed: int) -> list[float]:
            project = ids.project_id(seed, 0)
            found = _synthetic_samples(seed).samples(project, "traffic.outbound.national", START, START + HOUR)
            return [sample["volume"] for sample in found]

        self.assertEqual(traffic(1), traffic(1))
        self.assertNotEqual(traffic(1), traffic(2))
        self.assertEqual(len(traffic(1)), len(set(traffic(1))))

    def test_unknown_or_outside_query_returns_nothing(self) -> None:
        synthetic = _synthetic_samples()
        self.assertEqual([], list(synthetic.samples(PROJECT, "router", START - HOUR, START)))
        self.assertEqual([], list(synthetic.samples(PROJECT, "router", START + 24 * HOUR, START + 25 * HOUR)))
        self.assertEqual([], list(synthetic.samples(ids.project_id(0, 2), "router", START, START + HOUR)))
        self.assertEqual([], list(synthetic.samples(PROJECT, "cpu", START, START + HOUR)))

    def test_traffic_has_its_own_source(self) -> None:
        synthetic = _synthetic_samples()
        (first, *_) = synthetic.samples(PROJECT, "traffic.inbound.national", START, START + HOUR)
        (other, *_) = synthetic.samples(PROJECT, "instance", START, START + HOUR)
        self.assertEqual((f"{PROJECT}:TrafficAccounting", "openstack"), (first["source"], other["source"]))

    def test_metadata_values_are_strings(self) -> None:
        for meter in METERS:
            for sample in _synthetic_samples().samples(PROJECT, meter, START, START + HOUR):
                self.assertEqual([], [value for value in sample["metadata"].values() if not isinstance(value, str)])


class VersionsTest(unittest.TestCase):
    def test_three_of_eight_resources_change(self) -> None:
        changed = ("flavor.name", "status", "display_name")
        synthetic = _synthetic_samples(resources=16)
        for position in range(16):
            samples = list(synthetic.samples(PROJECT, "instance", START, START + 3 * HOUR))[position * 18 :][:18]
            values = {name: {sample["metadata"][name] for sample in samples} for name in changed}
            expected = [changed[position % 8 - 5]] if position % 8 > 4 else []
            self.assertEqual(expected, [name for name in changed if len(values[name]) > 1], position)
            self.assertEqual(sorted(sample["timestamp"] for sample in samples), [x["timestamp"] for x in samples])

    def test_change_takes_place_between_two_samples(self) -> None:
        samples = list(_synthetic_samples(resources=6).samples(PROJECT, "instance", START, START + 3 * HOUR))[-18:]
        self.assertEqual(["c1.c4r8"] * 9 + ["c1.c1r1"] * 9, [sample["metadata"]["flavor.name"] for sample in samples])
