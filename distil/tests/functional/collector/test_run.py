# SPDX-License-Identifier: Apache-2.0
"""What a collection stores, on each database."""

import datetime
import json
import unittest
from decimal import Decimal
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support.site import HOUR
from distil.tests.support.site import Entry
from distil.tests.support.site import Site

LONG_ID = "r" * 300
EMOJI = "🚀" * 100 + "é"


class _Backends:
    class CollectTest(unittest.TestCase):
        """Two collectors collect a cloud at once, then a third does; the stored usage does not change."""

        BACKEND: ClassVar[str]
        site: ClassVar[Site]
        entries: ClassVar[list[Entry]]

        @classmethod
        def setUpClass(cls) -> None:
            cls.site = cls.enterClassContext(Site(cls.BACKEND))
            project_id = cls.site.cloud.projects.enabled_ids[0]
            metadata = {"floating_ip_address": EMOJI}
            sample = cls.site.sample(project_id, "ip.floating", resource_id=LONG_ID, metadata=metadata)
            cls.site.cloud.add_samples(project_id, "ip.floating", [sample], replace=True)
            collectors = [cls.site.collector("--collect-end-time", cls.site.end.isoformat()) for _ in range(2)]
            for collector in collectors:
                collector.communicate(timeout=120)
            cls.entries = cls.site.usage()

        def test_all_windows_are_stored(self) -> None:
            self.assertEqual(set(self.site.cloud.projects.enabled_ids), {entry.project_id for entry in self.entries})
            starts = [self.site.start + hour * HOUR for hour in range(3)]
            self.assertEqual({(start, start + HOUR) for start in starts}, {entry[-2:] for entry in self.entries})
            self.assertEqual({self.site.end}, set(self.site.last_collected().values()))
            self.assertEqual([], self.site.rejected())

        def test_traffic_is_sum_of_samples(self) -> None:
            for project_id in self.site.cloud.projects.enabled_ids:
                sums: dict[Any, Decimal] = {}
                for sample in self.site.samples(project_id, "traffic.outbound.international"):
                    moment = datetime.datetime.fromisoformat(sample["timestamp"]).replace(tzinfo=datetime.UTC)
                    key = sample["resource_id"], moment.replace(minute=0, second=0, microsecond=0)
                    sums[key] = sums.get(key, Decimal(0)) + Decimal(str(sample["volume"]))
                stored = self.site.usage(service="n1.international-out", tenant_id=project_id)
                self.assertEqual(sums, {(entry.resource_id, entry.start): entry.volume for entry in stored})
                self.assertEqual(3 * 2, len(sums))

        def test_instance_uptime_covers_windows(self) -> None:
            for project_id in self.site.cloud.projects.enabled_ids:
                machines = {sample["resource_id"] for sample in self.site.samples(project_id, "instance")}
                uptimes = {
                    machine: sum(entry.volume for entry in self.site.usage(resource_id=machine, unit="second"))
                    for machine in machines
                }
                self.assertEqual(dict.fromkeys(machines, 3 * 3600), uptimes)

        def test_concurrent_collectors_store_same_usage(self) -> None:
            alone = self.enterContext(Site(cloud=self.site.cloud))
            alone.collect()
            self.assertEqual(alone.usage(), self.entries)

        def test_collecting_again_stores_nothing_again(self) -> None:
            self.assertIn("0 windows committed", self.site.collect())
            self.assertEqual(self.entries, self.site.usage())

        def test_long_ids_and_emoji_are_stored(self) -> None:
            self.assertEqual(["n1.ipv4"], [entry.service for entry in self.entries if entry.resource_id == LONG_ID])
            query = sa.select(models.resources.c.info).where(models.resources.c.id == LONG_ID)
            self.assertEqual(EMOJI, json.loads(self.site.rows(query)[0][0])["ip address"])

        def test_virtual_machine_has_os_distro(self) -> None:
            infos = [json.loads(info) for (info,) in self.site.rows(sa.select(models.resources.c.info))]
            machines = [info for info in infos if info["type"] == "Virtual Machine"]
            self.assertEqual(3 * 2, len(machines))
            self.assertTrue(all(info["os_distro"] for info in machines))


class SQLiteTest(_Backends.CollectTest):
    BACKEND = databases.SQLITE


class MariaDBTest(_Backends.CollectTest):
    BACKEND = databases.MYSQL


class PostgreSQLTest(_Backends.CollectTest):
    BACKEND = databases.POSTGRESQL
