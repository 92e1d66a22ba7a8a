# SPDX-License-Identifier: Apache-2.0
"""Collectors of two regions or with two sets of rules that share a database."""

import datetime
import unittest
import uuid
from typing import Any

import sqlalchemy as sa
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import model
from distil.cloud.connection import Connection
from distil.cloud.lookups import cloud_lookups
from distil.collector.origin import Origin
from distil.collector.origin import OriginCheck
from distil.db import models
from distil.db.store import Store
from distil.sandbox.cloud import Cloud
from distil.telemetry.ceilometer import CeilometerDriver
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class RegionsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(region="north"))
        cloud = Cloud(projects=3, resources=2, start=self.site.start, end=self.site.end, region="south")
        self.other = self.enterContext(Site(cloud=self.enterContext(cloud)))
        self.other.url = self.site.url
        self.other.configure()

    def telemetry(self) -> set[str | None]:
        return {row.telemetry for row in self.site.rows(sa.select(models.tenants.c.telemetry))}

    def forget(self) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(telemetry=None))

    def test_second_region_is_refused(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.assertEqual({"ceilometer/north"}, self.telemetry())
        log = self.other.collect(status=1)
        self.assertIn("4 projects not collected, such as", log)
        self.assertIn(
            "4 of 4 projects failed, for example: the database has the usage of region north (ceilometer/north), and"
            " this collector is configured for south ([keystone_authtoken] region_name)",
            log,
        )
        self.assertIn("run distil-manage telemetry rename ceilometer/north ceilometer/south", log)
        self.assertEqual({self.site.start + HOUR}, set(self.site.last_collected().values()))
        reasons = {row.reason for row in self.site.rows(sa.select(models.project_failures.c.reason))}
        self.assertEqual(1, len(reasons))
        self.site.collect()
        self.assertEqual([], self.site.rows(sa.select(models.project_failures.c.reason)))

    def test_configured_region_equals_catalogs(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.site.configure({"region_name": "north"})
        self.site.collect()

    def test_unknown_progress_is_adopted(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.forget()
        self.other.collect()
        self.assertEqual({"ceilometer/south"}, self.telemetry())

    def test_renamed_region_continues(self) -> None:
        self.site.collect(self.site.start + HOUR)
        listed = manage.run(self.site.config, "telemetry", "list", "-f", "value")
        self.assertEqual("ceilometer/north 4\n", listed.stdout)
        rename = ("telemetry", "rename", "ceilometer/north", "ceilometer/south")
        would = manage.run(self.site.config, *rename, "--dry-run", "-f", "value")
        self.assertEqual("ceilometer/south\nwould be renamed\n4\n", would.stdout)
        self.assertEqual({"ceilometer/north"}, self.telemetry())
        renamed = manage.run(self.site.config, *rename, "-f", "value")
        self.assertEqual("ceilometer/south\nrenamed\n4\n", renamed.stdout)
        again = manage.run(self.site.config, *rename)
        self.assertEqual(3, again.returncode, again.stderr)
        self.other.collect()
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))

    def test_incomplete_name_is_refused(self) -> None:
        self.site.collect(self.site.start + HOUR)
        for name in ("south", "ceilometer/", "/south", ""):
            refused = manage.run(self.site.config, "telemetry", "rename", "ceilometer/north", name)
            self.assertEqual(2, refused.returncode, refused.stderr)
        self.assertEqual({"ceilometer/north"}, self.telemetry())


class OriginTest(unittest.TestCase):
    def region(self, session: ks_session.Session, region: str | None = None, interface: str = "public") -> str | None:
        return CeilometerDriver(session, region, interface).region()

    def test_region_comes_from_catalog(self) -> None:
        with CloudServer(endpoints={"metering": "/metering"}) as cloud:
            self.assertEqual("north", self.region(cloud.session()))
            self.assertEqual("south", self.region(cloud.session(), "south"))
            self.assertIsNone(self.region(cloud.session(), interface="admin"))
        with self.assertRaisesRegex(exceptions.TelemetryError, "metering: the region is unknown"):
            self.region(cloud.session())


class RegionHintTest(unittest.TestCase):
    def test_regions_that_exist_are_named(self) -> None:
        cloud = self.enterContext(CloudServer(endpoints={"metering": "/metering", "compute": "/compute/v2.1"}))
        connection = Connection(cloud.session(), "south", "public")
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "in region south; the catalog has region north$"):
            cloud_lookups(connection).flavors.get("1")
        driver = CeilometerDriver(cloud.session(), "south", "public")
        with self.assertRaisesRegex(exceptions.TelemetryError, "in region south; the catalog has region north$"):
            driver.require_answer()

    def test_missing_service_has_no_hint(self) -> None:
        cloud = self.enterContext(CloudServer(endpoints={"metering": "/metering"}))
        connection = Connection(cloud.session(), "north", "public")
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "in region north$"):
            cloud_lookups(connection).flavors.get("1")


class TestOriginCheckSQLite(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = Store(self.engine)
        self.project = model.Project(uuid.uuid4().hex, "n", "d")
        self.store.register_projects([(self.project, START)])
        self.hours = 0

    def check(self, region: str = "north", rules: str = "1") -> OriginCheck:
        driver = CeilometerDriver(ks_session.Session(), region, "public")
        return OriginCheck(Origin(driver, "ceilometer", f"c{rules}", rules), self.store)

    def commit(self, region: str = "north", rules: str = "1") -> None:
        window = model.Window(START + self.hours * HOUR, START + (self.hours + 1) * HOUR)
        by = model.CollectedBy(f"ceilometer/{region}", f"c{rules}", rules)
        self.store.project(self.project.id, by).commit(window, [], [], [])
        self.hours += 1

    def problems(self, check: OriginCheck) -> dict[str, Any]:
        return check.problems([self.project], self.store.last_collected([self.project.id]))

    def test_commit_refuses_other_region(self) -> None:
        self.commit()
        with self.assertRaises(exceptions.WindowAlreadyCommitted):
            self.commit("south")
        self.commit()

    def test_other_region_is_a_problem(self) -> None:
        self.assertEqual({}, self.problems(self.check("south")))
        self.commit()
        self.assertEqual([self.project.id], list(self.problems(self.check("south"))))
        self.assertEqual({}, self.problems(self.check()))

    def test_suggested_command_is_quoted(self) -> None:
        self.commit("of $(hostname)")
        (problem,) = self.problems(self.check()).values()
        self.assertIn("telemetry rename 'ceilometer/of $(hostname)' ceilometer/north", str(problem))

    def test_other_driver_is_named_by_option(self) -> None:
        self.commit()
        driver = CeilometerDriver(ks_session.Session(), "north", "public")
        problems = self.problems(OriginCheck(Origin(driver, "gnocchi", "c", "1"), self.store))
        self.assertIn(
            "usage of ceilometer/north, and this collector is configured for gnocchi/north ([collector]"
            " collector_backend)",
            str(problems[self.project.id]),
        )

    def test_alternating_rules_are_reported(self) -> None:
        mine = self.check()
        self.problems(mine)
        self.commit()
        self.commit(rules="2")
        with self.assertLogs("distil.collector.origin", "WARNING") as logs:
            self.assertEqual({}, self.problems(mine))
        self.assertIn("1 project, such as", logs.output[0])
        self.assertIn("collected by collector c2 with other rules since the last run of this one (c1)", logs.output[0])

    def test_edited_rules_and_moves_are_silent(self) -> None:
        with self.assertNoLogs("distil.collector.origin", "WARNING"):
            mine = self.check()
            self.problems(mine)
            self.commit()
            self.problems(mine)
            edited = self.check(rules="2")
            self.problems(edited)
            self.commit(rules="2")
            self.problems(edited)


class TestOriginCheckMySQL(TestOriginCheckSQLite):
    BACKEND = databases.MYSQL


class TestOriginCheckPostgreSQL(TestOriginCheckSQLite):
    BACKEND = databases.POSTGRESQL
