# SPDX-License-Identifier: Apache-2.0
"""A whole run over the real Prometheus, and over Aetos before it, with projects of a real Keystone."""

import datetime
import unittest
import uuid
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import yaml

from distil.tests.support.real import aetos
from distil.tests.support.real import keystone
from distil.tests.support.real import prometheus
from distil.tests.support.real.prometheus import Series
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

# Scrapes of an hour.
_TICKS = 12
_INTERVAL = HOUR // _TICKS
_HOURS = 3
_TRAFFIC = "traffic.outbound.national"


class RealPrometheusTest(unittest.TestCase):
    def setUp(self) -> None:
        # The sandbox cloud of this site is not asked for anything.
        self.site = self.enterContext(Site(projects=1))
        self.domain_name, self.job = uuid.uuid4().hex, uuid.uuid4().hex
        self.domain_id = self.create("domain", name=self.domain_name)
        self.configure()

    def driver_options(self) -> Mapping[str, object]:
        return {"url": prometheus.shared().url}

    def configure(self) -> None:
        cloud = keystone.shared()
        mappings = [entry for entry in _shipped("meter_mappings.yml") if entry["meter"] in ("network", _TRAFFIC)]
        mappings_file, meters_file = (self.site.folder / name for name in ("mappings.yml", "meters.yml"))
        mappings_file.write_text(yaml.safe_dump(mappings))
        meters_file.write_text(yaml.safe_dump(self.meters()))
        credentials = {
            "auth_url": cloud.auth_url,
            "username": cloud.username,
            "password": cloud.password,
            "project_name": cloud.project_name,
            "region_name": cloud.region_name,
        }
        self.site.configure(
            credentials,
            {"prometheus": {"meters_file": meters_file, **self.driver_options()}},
            collector_backend="prometheus",
            meter_mappings_file=mappings_file,
            include_domains=self.domain_name,
            trust_sources="prometheus",
        )

    def meters(self) -> list[dict[str, Any]]:
        """An entry as it is shipped, and one of a counter, both of the test's own job."""
        (network,) = [entry for entry in _shipped("prometheus_meters.yml") if entry["meter"] == "network"]
        counter = {
            "meter": _TRAFFIC,
            "selector": "router_bytes_total",
            "kind": "counter",
            "unit": "B",
            "labels": {"project": "project_id", "resource": "router_id"},
            "metadata": {"name": "router_name"},
        }
        return [entry | {"up": f'up{{job="{self.job}"}}'} for entry in (network, counter)]

    def create(self, kind: str, **properties: Any) -> str:
        return str(keystone.shared().call("POST", f"{kind}s", **{kind: properties})[kind]["id"])

    def series(self, metric: str, values: Iterable[float], **labels: str) -> Series:
        """A series with a sample at each tick; the first of each hour is at the window's edge."""
        times = [self.site.start + tick * _INTERVAL for tick in range(_HOURS * _TICKS)]
        pairs = zip(times, values, strict=False)
        return Series({"__name__": metric, "job": self.job, **labels}, list(pairs))

    def add(self, *series: Series, scraped: datetime.timedelta = _HOURS * HOUR) -> None:
        """:param scraped: how long there are scrapes."""
        up = self.series("up", [1] * (scraped // _INTERVAL), instance="a")
        prometheus.shared().add(up, *series)

    def add_network(self, project_id: str, **options: Any) -> None:
        labels = {"tenant_id": project_id, "id": "n1", "name": "größe"}
        self.add(self.series("openstack_neutron_network", [0] * _HOURS * _TICKS, **labels), **options)

    def test_every_sample_is_billed_once(self) -> None:
        project_id = self.create("project", name="busy", domain_id=self.domain_id)
        self.create("project", name="idle", domain_id=self.domain_id)
        self.add_network(project_id)
        # The counter is reset with the first sample of the third hour.
        counted = [tick * 7 for tick in range(2 * _TICKS)] + [100 + tick for tick in range(_TICKS)]
        self.add(self.series("router_bytes_total", counted, project_id=project_id, router_id="r1"))
        self.site.collect()
        self.assertEqual([self.site.end] * 2, list(self.site.last_collected().values()))
        usage = self.site.usage()
        self.assertEqual({project_id}, {entry.project_id for entry in usage})
        starts = [self.site.start + hour * HOUR for hour in range(_HOURS)]
        expected = [
            *(("n1.network", "n1", Decimal(1), start) for start in starts),
            *zip(["n1.national-out"] * _HOURS, ["r1"] * _HOURS, map(Decimal, (77, 84, 111)), starts, strict=True),
        ]
        found = [(entry.service, entry.resource_id, entry.volume, entry.start) for entry in usage]
        self.assertCountEqual(expected, found)
        self.assertEqual([], self.site.rejected())

    def test_window_with_gap_is_not_collected(self) -> None:
        project_id = self.create("project", name="busy", domain_id=self.domain_id)
        self.add_network(project_id, scraped=2.5 * HOUR)
        output = self.site.collect(status=1)
        self.assertIn(f'up{{job="{self.job}"}} has no sample other than 0', output)
        self.assertEqual({project_id: self.site.start + 2 * HOUR}, self.site.last_collected())


class RealAetosTest(RealPrometheusTest):
    def driver_options(self) -> Mapping[str, object]:
        aetos.shared()
        return {}


def _shipped(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load((ETC / name).read_text())
    return entries
