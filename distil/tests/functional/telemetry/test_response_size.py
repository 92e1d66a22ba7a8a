# SPDX-License-Identifier: Apache-2.0
"""Samples that are too large for one response are read in smaller parts, each once."""

import datetime
import unittest
import uuid
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil import exceptions
from distil import model
from distil.cloud import adapter
from distil.cloud.response_limits import ResponseLimits
from distil.sandbox import cloud
from distil.telemetry import ceilometer
from distil.telemetry.sample_request import naive
from distil.tests.support.driver_scenario import END
from distil.tests.support.driver_scenario import START
from distil.tests.support.driver_scenario import document
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

SIZE = 128 * 1024
SECOND = datetime.timedelta(seconds=1)
TOO_LARGE = f"larger than {SIZE} bytes"


class LargeSamplesTest(unittest.TestCase):
    cloud: ClassVar[cloud.Cloud]
    session: ClassVar[ks_session.Session]

    @classmethod
    def setUpClass(cls) -> None:
        cls.cloud = cls.enterClassContext(cloud.Cloud(projects=1))
        credentials: dict[str, Any] = {**cls.cloud.auth()}
        cls.session = ks_session.Session(auth=v3.Password(**credentials), timeout=60)
        adapter.mount_adapter(cls.session, ResponseLimits(60, SIZE))

    def setUp(self) -> None:
        self.project_id = uuid.uuid4().hex

    def add(self, count: int, size: int, second: int | None = None, meter: str = "cpu") -> None:
        """Store samples with metadata of a size, one each second or all in one second."""
        for number in range(count):
            minute, rest = divmod(number if second is None else second, 60)
            sample = document(self.project_id, meter, f"r{number}", f"2026-01-01T00:{minute:02d}:{rest:02d}")
            self.cloud.add_samples(self.project_id, meter, [sample | {"metadata": {"text": "x" * size}}])

    def resource_ids(self, *meters: str, single: bool = False, page_size: int = 10_000) -> list[str]:
        if single:
            self.cloud.add_fault("metering", "status", path="/v2/query", status=404)
            self.addCleanup(self.cloud.faults.clear)
        driver = ceilometer.CeilometerDriver(self.session, None, "public", page_size)
        samples = list(driver.samples([self.project_id], meters or ("cpu",), START, END))
        self.assertTrue(all(isinstance(sample, model.Sample) for sample in samples))
        return sorted(f"{sample.meter} {sample.resource_id}" for sample in samples)

    def test_too_large_page_is_halved(self) -> None:
        self.add(200, 2_000)
        expected = sorted(f"cpu r{number}" for number in range(200))
        for single in (False, True):
            for page_size in (10_000, 100):
                with self.subTest(single=single, page_size=page_size):
                    self.assertEqual(expected, self.resource_ids(single=single, page_size=page_size))

    def test_too_large_time_is_read_per_meter(self) -> None:
        for meter in ("cpu", "disk"):
            self.add(12, 8_000, second=7, meter=meter)
        expected = sorted(f"{meter} r{number}" for meter in ("cpu", "disk") for number in range(12))
        for page_size in (10_000, 4):
            with self.subTest(page_size=page_size):
                self.assertEqual(expected, self.resource_ids("cpu", "disk", page_size=page_size))

    def test_too_large_time_of_meter_raises(self) -> None:
        self.add(24, 8_000, second=7)
        for page_size in (10_000, 4):
            with self.subTest(page_size=page_size), self.assertRaisesRegex(exceptions.TelemetryError, "of one time"):
                self.resource_ids(page_size=page_size)

    def test_too_large_sample_raises(self) -> None:
        self.add(1, 2 * SIZE)
        with self.assertRaisesRegex(exceptions.TelemetryError, TOO_LARGE):
            self.resource_ids()


class CollectorTest(unittest.TestCase):
    def test_large_samples_are_billed_equally(self) -> None:
        site = self.enterContext(Site(projects=2))
        project_id = site.cloud.projects.enabled_ids[0]
        large = [
            site.sample(
                project_id, "storage.containers.objects.size", resource_id=f"{project_id}/c{number}", volume=number
            )
            | {"metadata": {"text": "x" * 20_000}, "timestamp": naive(site.start + number * SECOND)}
            for number in range(100)
        ]
        site.cloud.add_samples(project_id, "storage.containers.objects.size", large)
        undisturbed = self.enterContext(Site(cloud=site.cloud))
        undisturbed.collect(site.start + HOUR)
        site.configure({"max_response_bytes": 1024 * 1024})
        site.collect(site.start + HOUR)
        self.assertEqual(undisturbed.usage(), site.usage())
        self.assertLess(100, len(site.usage(tenant_id=project_id)))
