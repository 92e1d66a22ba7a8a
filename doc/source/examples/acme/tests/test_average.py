# SPDX-License-Identifier: Apache-2.0

import datetime
import unittest
from decimal import Decimal

from acme_distil.average import Average

from distil import exceptions
from distil import model
from distil.rating.sample_parser import parse_sample
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options

START = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)


def sample(volume: object) -> model.Sample:
    document = {
        "resource_id": "vm-1",
        "timestamp": START.isoformat(),
        "volume": volume,
        "source": "openstack",
        "metadata": {},
    }
    read = parse_sample(document, "project-1", "cpu_util")
    assert isinstance(read, model.Sample)
    return read


class AverageTest(unittest.TestCase):
    def test_average_billed_for_every_hour(self) -> None:
        options = Options({"suffix": "-average"})
        samples = [sample(volume) for volume in (1, 2, 6)]
        window = model.Window(START, START + datetime.timedelta(hours=2))
        usage = Average(options).usage("burst", samples, window, Lookups())
        self.assertEqual({"burst-average": Decimal(6)}, usage)
        self.assertEqual([], options.problems)

    def test_null_volume_is_rejected(self) -> None:
        with self.assertRaisesRegex(exceptions.SampleRejected, "null"):
            Average(Options({})).check(sample(None), Lookups())
