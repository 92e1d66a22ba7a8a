# SPDX-License-Identifier: Apache-2.0
"""Rechecks after the runs of real collector processes."""

import datetime
import unittest
import urllib.request
from typing import Any

import sqlalchemy as sa

from distil.db import models
from distil.sandbox.data import ids
from distil.sandbox.data.meters import METERS
from distil.tests.support import databases
from distil.tests.support import secrets
from distil.tests.support.processes import free_port
from distil.tests.support.processes import terminate
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site
from distil.tests.support.site import stay_away_from_the_hour

_MINUTE = datetime.timedelta(minutes=1)


class ScheduledRecheckPostgreSQLTest(unittest.TestCase):
    """Windows of three hours, the newest of which ended an hour ago or more, all of them collected."""

    BACKEND = databases.POSTGRESQL

    def setUp(self) -> None:
        stay_away_from_the_hour(60)
        self.site = self.enterContext(Site(self.BACKEND))
        self.site.collect()
        self.project = self.site.cloud.projects.enabled_ids[0]
        self.site.cloud.requests.clear()

    def add_late_sample(self, hour: int) -> None:
        timestamp = (self.site.start + hour * HOUR + 25 * _MINUTE).replace(tzinfo=None).isoformat()
        sample = self.site.sample(self.project, "router", timestamp=timestamp)
        self.site.cloud.add_samples(self.project, "router", [sample])

    def run_until_rechecked(self, collectors: int = 1, **options: object) -> str:
        """Run collectors until all windows are rechecked, and return their output."""
        self.site.configure(periodic_interval=4, **options)  # type: ignore[arg-type]
        processes = [self.site.collector() for _ in range(collectors)]
        wait_for(self.is_rechecked)
        # Another run of each.
        runs = self.site.cloud.requests.total("identity")
        wait_for(lambda: self.site.cloud.requests.total("identity") > runs + collectors)
        for process in processes:
            terminate(process)
        return "".join(process.communicate()[0] for process in processes)

    def is_rechecked(self) -> bool:
        table = models.rechecks.c
        return bool(self.site.rows(sa.select(table.id).where(table.end >= self.site.end - HOUR)))

    def late(self) -> list[tuple[str, int, int]]:
        table = models.late_windows.c
        rows = self.site.rows(sa.select(table.tenant_id, table.start, table.samples).order_by(table.start))
        return [(project_id, (start - self.site.start) // HOUR, samples) for project_id, start, samples in rows]

    def rechecks(self) -> list[Any]:
        table = models.rechecks.c
        return self.site.rows(sa.select(table.start, table.end, table.windows, table.late).where(table.windows > 0))

    def test_late_window_is_found_once(self) -> None:
        self.add_late_sample(0)
        port = free_port()
        options = {"enable_exporter": "true", "exporter_host": "127.0.0.1", "exporter_port": port}
        self.site.configure(periodic_interval=4, recheck_after="2, 1", **options)  # type: ignore[arg-type]
        self.site.collector()
        wait_for(lambda: len(self.rechecks()) >= 2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
            metrics = response.read().decode()
        self.assertIn("distil_collector_windows_late_total 1.0", metrics)
        self.assertEqual([(self.project, 0, 229)], self.late())
        # The one that is two hours old is a window less.
        self.assertEqual([2, 3], sorted((end - self.site.start) // HOUR for _, end, _, _ in self.rechecks()))

    def test_two_collectors_recheck_once(self) -> None:
        self.add_late_sample(1)
        output = self.run_until_rechecked(2, recheck_after=1)
        self.assertEqual([(12, 1)], [(windows, late) for _, _, windows, late in self.rechecks()])
        self.assertEqual([(self.project, 1, 229)], self.late())
        self.assertEqual(1, output.count("1 window found late"), output)


class ScheduledRecheckMySQLTest(ScheduledRecheckPostgreSQLTest):
    BACKEND = databases.MYSQL

    def test_missed_rechecks_are_made_up_for(self) -> None:
        first = {"start": self.site.start, "end": self.site.start + HOUR, "collector": "x", "method": "counts"}
        rest = {"telemetry": "ceilometer/RegionOne", "windows": 0, "late": 0, "checked": self.site.start + 3 * HOUR}
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(models.rechecks), first | rest)
        self.run_until_rechecked(recheck_after=1)
        found = [((start - self.site.start) // HOUR, windows) for start, _, windows, _ in self.rechecks()]
        self.assertEqual([(1, 8)], found)

    def test_failure_is_warning_and_retried(self) -> None:
        self.add_late_sample(2)
        self.site.cloud.add_fault("metering", "status", status=503, path="statistics", times=1)
        output = self.run_until_rechecked(recheck_after=1)
        self.assertIn("Collected windows could not be rechecked, retrying after the next run", output)
        self.assertNotIn("The run failed", output)
        self.assertEqual([(self.project, 2, 229)], self.late())

    def test_windows_of_which_nothing_is_held_are_retried(self) -> None:
        for number in self.site.cloud.projects.metered_numbers:
            for meter in METERS:
                self.site.cloud.add_samples(ids.project_id(0, number), meter, [], replace=True)
        # Else an empty answer would be taken for that of a service without samples.
        self.add_late_sample(9)
        self.site.configure(periodic_interval=2, recheck_after=1)
        collector = self.site.collector()
        wait_for(lambda: self.site.cloud.requests.total("identity") > 9)
        terminate(collector)
        output = collector.communicate()[0]
        self.assertGreater(output.count("9 windows not rechecked, retrying after the next run"), 1, output)
        self.assertEqual(([], []), (self.late(), self.rechecks()))

    def test_nothing_is_rechecked_by_default(self) -> None:
        self.site.configure(periodic_interval=2)
        self.site.collector()
        wait_for(lambda: self.site.cloud.requests.total("identity") > 6)
        self.assertNotIn("statistics", str(self.site.cloud.requests.describe()))
        self.assertEqual([], self.rechecks())

    def test_insert_is_all_that_is_needed(self) -> None:
        self.add_late_sample(0)
        with secrets.mariadb_user(self.site.url, "sekret", ["Delete", "Update"]) as url:
            self.site.url = url
            with self.site.engine.begin() as connection:
                # Collectors may change these, and these alone.
                for table in ("project_locks", "project_failures", "tenants", "resources"):
                    connection.exec_driver_sql(
                        "INSERT INTO mysql.tables_priv (Host, Db, User, Table_name, Table_priv) VALUES"
                        f" ('%%', '{sa.make_url(url).database}', '{sa.make_url(url).username}', '{table}',"
                        " 'Select,Insert,Update,Delete')"
                    )
                connection.exec_driver_sql("FLUSH PRIVILEGES")
            output = self.run_until_rechecked(recheck_after=1)
        self.assertNotIn("denied", output)
        self.assertEqual([(self.project, 0, 229)], self.late())
