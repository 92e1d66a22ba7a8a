# SPDX-License-Identifier: Apache-2.0
"""A whole run over the real Ceilometer behind a real Keystone."""

import datetime
import unittest
import uuid
from decimal import Decimal
from typing import Any
from typing import ClassVar

from distil.tests.support.real import ceilometer
from distil.tests.support.real import keystone
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


class RealCloudTest(unittest.TestCase):
    ceilometer: ClassVar[ceilometer.Ceilometer]
    keystone: ClassVar[keystone.Keystone]

    @classmethod
    def setUpClass(cls) -> None:
        cls.ceilometer = ceilometer.shared()
        cls.keystone = keystone.shared()

    def setUp(self) -> None:
        # The sandbox cloud of this site is not asked for anything.
        self.site = self.enterContext(Site(projects=1))
        self.domain_name = uuid.uuid4().hex
        self.domain_id = self.create("domain", name=self.domain_name)
        cloud = self.keystone
        authentication = {
            "auth_url": cloud.auth_url,
            "username": cloud.username,
            "password": cloud.password,
            "project_name": cloud.project_name,
            "region_name": cloud.region_name,
        }
        self.site.configure(authentication, include_domains=self.domain_name, trust_sources=".*:openstack")

    def create(self, kind: str, **properties: Any) -> str:
        return str(self.keystone.call("POST", f"{kind}s", **{kind: properties})[kind]["id"])

    def samples(self, resources: int, **values: Any) -> list[dict[str, Any]]:
        """A sample of each resource every ten minutes of the three hours, on the ticks that are window edges too."""
        times = [self.site.start + datetime.timedelta(minutes=10 * tick) for tick in range(18)]
        sample = {"unit": "unit", "source": "openstack", "metadata": {"name": "a name"}, "volume": 1} | values
        return [
            sample | {"resource_id": f"r{number}", "timestamp": time.replace(tzinfo=None).isoformat()}
            for time in times
            for number in range(resources)
        ]

    def test_every_sample_is_billed_once(self) -> None:
        """30 resources have more samples in a window than an answer without a limit holds."""
        project_id = self.create("project", name="busy", domain_id=self.domain_id)
        self.create("project", name="idle", domain_id=self.domain_id)
        self.create("project", name="gone", domain_id=self.domain_id, enabled=False)
        self.ceilometer.add_samples(project_id, "traffic.outbound.national", self.samples(30, volume=7))
        self.ceilometer.add_samples(project_id, "network", self.samples(2))
        self.ceilometer.add_samples(project_id, "router", self.samples(1, volume=0))
        self.site.collect()
        self.assertEqual(2, len(self.site.last_collected()))
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))
        usage = self.site.usage()
        self.assertEqual({project_id}, {entry.project_id for entry in usage})
        starts = [self.site.start + hour * HOUR for hour in range(3)]
        expected = [
            *(("n1.national-out", f"r{number}", Decimal(6 * 7), start) for number in range(30) for start in starts),
            *(("n1.network", f"r{number}", Decimal(1), start) for number in range(2) for start in starts),
            *(("n1.router", "r0", Decimal(0), start) for start in starts),
        ]
        self.assertCountEqual(
            expected, [(entry.service, entry.resource_id, entry.volume, entry.start) for entry in usage]
        )
        self.assertEqual([], self.site.rejected())
