# SPDX-License-Identifier: Apache-2.0
"""A whole run over the real Gnocchi, with projects of a real Keystone."""

import datetime
import unittest
import uuid
from decimal import Decimal
from typing import Any
from typing import ClassVar

import yaml

from distil.tests.support.real import gnocchi
from distil.tests.support.real import keystone
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

_MINUTE = datetime.timedelta(minutes=1)
_POLL = 5 * _MINUTE
_POLICY = "whole-run"
_METERS = ("instance", "volume.size")


class RealGnocchiTest(unittest.TestCase):
    server: ClassVar[keystone.Keystone]
    telemetry: ClassVar[gnocchi.Gnocchi]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = keystone.Keystone()
        cls.addClassCleanup(cls.server.stop)
        cls.telemetry = gnocchi.Gnocchi(cls.server)
        cls.addClassCleanup(cls.telemetry.stop)
        cls.telemetry.add_archive_policy(_POLICY, ["mean", "max", "last"], timespan="10000 days", back_window=24)
        cls.telemetry.add_resource_type("instance", "display_name", "host", "image_ref", "flavor_name")
        cls.telemetry.add_resource_type("volume", "display_name", "volume_type")

    def setUp(self) -> None:
        # The sandbox cloud of this site is not asked for anything.
        self.site = self.enterContext(Site(projects=1))
        self.domain_name = uuid.uuid4().hex
        self.domain_id = self.create("domain", name=self.domain_name)
        self.project_id = self.create("project", name="busy", domain_id=self.domain_id)
        self.configure()

    def configure(self) -> None:
        folder = self.site.folder
        uptime, size = (
            next(entry for entry in _shipped("meter_mappings.yml") if entry["meter"] == meter) for meter in _METERS
        )
        # Types of volumes would be looked up in a block storage service.
        mappings = [uptime, size | {"transformer": "max"}]
        (folder / "mappings.yml").write_text(yaml.safe_dump(mappings))
        meters = [entry for entry in _shipped("gnocchi_meters.yml") if entry["meter"] in _METERS]
        (folder / "meters.yml").write_text(yaml.safe_dump(meters))
        self.site.configure(
            {
                "auth_url": self.server.auth_url,
                "username": self.server.username,
                "password": self.server.password,
                "project_name": self.server.project_name,
                "region_name": self.server.region_name,
            },
            {"gnocchi": {"meters_file": folder / "meters.yml", "processing_timeout": 5}},
            collector_backend="gnocchi",
            meter_mappings_file=folder / "mappings.yml",
            include_domains=self.domain_name,
            trust_sources="gnocchi",
        )

    def create(self, kind: str, **properties: Any) -> str:
        return str(self.server.call("POST", f"{kind}s", **{kind: properties})[kind]["id"])

    def add(self, resource_type: str, project_id: str, metric: str, value: float, end: float, **attributes: Any) -> str:
        """A resource that is polled every five minutes.

        :param end: of the polls, in hours after the start.
        """
        with self.telemetry.dated(self.site.start):
            resource_id = self.telemetry.add_resource(resource_type, project_id, **attributes)
        times = [self.site.start + number * _POLL for number in range(int(end * (HOUR // _POLL)))]
        self.telemetry.add_measures(resource_id, metric, _POLICY, [(time, value) for time in times])
        return resource_id

    def add_instance(self, end: float = 3) -> str:
        return self.add(
            "instance", self.project_id, "power.state", 1, end, display_name="web", host="c1", flavor_name="c1.c1r1"
        )

    def found(self) -> list[tuple[str, str, Decimal, float]]:
        """Service, project, volume and start, in hours, of each usage entry."""
        return [
            (entry.service, entry.project_id, entry.volume, (entry.start - self.site.start) / HOUR)
            for entry in self.site.usage()
        ]

    def test_resize_and_transfer_are_billed_to_whom_they_belonged(self) -> None:
        other = self.create("project", name="other", domain_id=self.domain_id)
        instance = self.add_instance()
        # With both flavors in one window, their names would be looked up in a compute service.
        with self.telemetry.dated(self.site.start + HOUR):
            self.telemetry.update_resource("instance", instance, flavor_name="c1.c2r4")
        volume = self.add("volume", self.project_id, "volume.size", 10, 2, display_name="data", volume_type="b1.nvme")
        with self.telemetry.dated(self.site.start + HOUR):
            self.telemetry.update_resource("volume", volume, project_id=other)
        self.telemetry.process()
        self.site.collect()
        expected = [
            ("c1.c1r1", self.project_id, Decimal(3600), 0),
            ("c1.c2r4", self.project_id, Decimal(3600), 1),
            ("c1.c2r4", self.project_id, Decimal(3600), 2),
            ("b1.standard", self.project_id, Decimal(10), 0),
            ("b1.standard", other, Decimal(10), 1),
        ]
        self.assertCountEqual(expected, self.found())
        self.assertEqual([], self.site.rejected())

    def test_window_waits_for_metricd(self) -> None:
        self.add_instance(end=2)
        self.telemetry.process()
        self.telemetry.pause_metricd()
        self.addCleanup(self.telemetry.resume_metricd)
        late = self.add_instance(end=3)
        output = self.site.collect(status=1)
        self.assertIn("still has unprocessed measures", output)
        self.assertEqual([], self.found())
        self.telemetry.resume_metricd()
        self.telemetry.process()
        self.site.collect()
        self.assertEqual(3, sum(entry.resource_id == late for entry in self.site.usage()))
        self.assertEqual(5, len(self.found()))


def _shipped(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load((ETC / name).read_text())
    return entries
