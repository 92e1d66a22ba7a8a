# SPDX-License-Identifier: Apache-2.0
"""The sample meters file finds what exporters have, as the sandbox cloud has it."""

import datetime
import re
import unittest
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import yaml

from distil.sandbox import cloud
from distil.telemetry.driver import MeterPresence
from distil.tests.support.prometheus_driver import make_driver
from distil.tests.support.site import ETC

_TEXT = (ETC / "prometheus_meters.yml").read_text(encoding="utf-8")
_ALTERNATIVES = re.findall(r"^# - meter: .*\n(?:#   .*\n)+", _TEXT, re.MULTILINE)


class SampleMetersTest(unittest.TestCase):
    cloud: ClassVar[cloud.Cloud]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cloud = cls.enterClassContext(cloud.Cloud(projects=1))

    def assert_found(self, entries: Sequence[Mapping[str, Any]]) -> None:
        driver = make_driver(entries, url=self.cloud.prometheus_url)
        now = datetime.datetime.now(datetime.UTC)
        for meter in {entry["meter"] for entry in entries if "unavailable" not in entry}:
            with self.subTest(meter):
                report = driver.report(meter, now - datetime.timedelta(hours=2), now)
                self.assertEqual((MeterPresence.PRESENT, []), report[:2])
                served = driver.served(meter)
                metadata = report.example["metadata"] if report.example else {}
                missing = {key for key, value in metadata.items() if value == "None"}
                self.assertLessEqual(missing, set(served.constants if served else ()))

    def test_series_and_labels_are_there(self) -> None:
        self.assert_found(yaml.safe_load(_TEXT))

    def test_alternatives_are_there(self) -> None:
        self.assertTrue(_ALTERNATIVES)
        self.assert_found([yaml.safe_load(re.sub("^# ", "", text, flags=re.MULTILINE))[0] for text in _ALTERNATIVES])
