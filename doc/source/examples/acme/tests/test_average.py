# SPDX-License-Identifier: Apache-2.0

import datetime
import unittest
from decimal import Decimal

from acme_distil.average import Average

from distil import plugin

START = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)


def sample(volume: object, **metadata: str) -> plugin.Sample:
    document = {
        "resource_id": "vm-1",
        "timestamp": START.isoformat(),
        "volume": volume,
        "source": "openstack",
        "metadata": metadata,
    }
    parsed = plugin.parse_sample(document, "project-1", "cpu_util")
    assert isinstance(parsed, plugin.Sample)
    return parsed


class AverageTest(unittest.TestCase):
    def test_average_billed_for_every_hour(self) -> None:
        options = plugin.Options({"key": "zone"})
        samples = [sample(volume, zone="north") for volume in (1, 2, 6)]
        window = plugin.Window(START, START + datetime.timedelta(hours=2))
        usage = Average(options).usage("burst", samples, window, plugin.Lookups())
        self.assertEqual({"burst-north": Decimal(6)}, usage)
        self.assertEqual([], options.problems)

    def test_arithmetic_is_explained(self) -> None:
        steps: list[str] = []
        average = Average(plugin.Options({})).noting(steps)
        window = plugin.Window(START, START + datetime.timedelta(hours=2))
        average.usage("burst", [sample(volume, instance_type="c1") for volume in (1, 2)], window, plugin.Lookups())
        self.assertEqual(["the average of 2 volumes is 1.5; times 2 h"], steps)

    def test_null_volume_is_rejected(self) -> None:
        with self.assertRaisesRegex(plugin.SampleRejected, "null"):
            Average(plugin.Options({})).validate(sample(None, instance_type="c1"), plugin.Lookups())

    def test_sample_without_key_is_rejected(self) -> None:
        average = Average(plugin.Options({}))
        self.assertEqual((("instance_type",),), average.required_metadata())
        with self.assertRaisesRegex(plugin.SampleRejected, "metadata has no instance_type"):
            average.validate(sample(1), plugin.Lookups())
