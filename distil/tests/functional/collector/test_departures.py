# SPDX-License-Identifier: Apache-2.0
"""Projects that leave Keystone's list, hour by hour."""

import datetime
import unittest
from typing import Any
from typing import ClassVar

import sqlalchemy as sa
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.collector.origin import Origin
from distil.collector.origin import OriginCheck
from distil.collector.plan import Plan
from distil.collector.projects import CollectedProjects
from distil.collector.projects import ScopedProjects
from distil.collector.scope import Scope
from distil.collector.state_recorder import StateRecorder
from distil.db import models
from distil.db.store import Store
from distil.db.tracked_projects import TrackedProjects
from distil.sandbox.cloud import Cloud
from distil.telemetry.ceilometer import CeilometerDriver
from distil.tests.support import databases
from distil.tests.support.site import Site

HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
# When the first run starts. By then everything is collected up to the full hour.
NOW = datetime.datetime(2026, 3, 1, 12, 5, tzinfo=datetime.UTC)
NOON = NOW - 5 * MINUTE


class DepartureTestCase(databases.DatabaseTestCase):
    """Each test has a database with no projects, and a cloud with 12."""

    MIGRATED = True

    def setUp(self) -> None:
        self.cloud = self.enterContext(Cloud(projects=11, resources=1, start=NOON, end=NOON + HOUR))
        auth: dict[str, Any] = dict(self.cloud.auth())
        self.session = ks_session.Session(auth=v3.Password(**auth), timeout=30)
        self.addCleanup(self.session.session.close)
        self.store = Store(self.engine)
        self.gone, self.other = self.cloud.projects.enabled_ids[:2]
        with self.engine.begin() as connection:
            connection.execute(sa.delete(models.tenants))

    def run_at(
        self, now: datetime.datetime, collector: str = "default", plan: Plan | None = None, **scope: Any
    ) -> CollectedProjects:
        """Load the projects as a new process does, and store empty windows up to the last full hour.

        :param scope: an entry or several, by option.
        """
        plan = plan or Plan()
        entries = {name: [value] if isinstance(value, str) else value for name, value in scope.items()}
        filters = Scope(**{name: frozenset(values) for name, values in entries.items()})
        keystone = KeystoneProjects(Connection(self.session, None, "public"))
        tracked = TrackedProjects(self.engine)
        driver = CeilometerDriver(self.session, None, "public")
        origins = OriginCheck(Origin(driver, "ceilometer", collector, "rules"), self.store)
        states = StateRecorder(collector, keystone, self.engine)
        projects = ScopedProjects(collector, keystone, filters, plan, self.store, tracked, "ascending", origins, states)
        loaded = projects.load(now)
        for project_id, last_collected in loaded.last_collected.items():
            self.collect(project_id, last_collected, plan.latest_end(now, loaded.until.get(project_id)))
        return loaded

    def collect(
        self, project_id: str, start: datetime.datetime, end: datetime.datetime, until: datetime.datetime | None = None
    ) -> None:
        for window in Plan().windows(start, end):
            self.store.project(project_id).commit(window, [], [], [], until)

    def start(self, **scope: Any) -> None:
        """The first run, which starts all projects at noon, and the second."""
        self.run_at(NOON, plan=Plan(max_collection_start_age=0), **scope)
        self.run_at(NOW, **scope)

    def assert_departing(self, until: datetime.datetime, loaded: CollectedProjects) -> None:
        self.assertEqual({self.gone: until}, loaded.until)
        self.assertIn(self.gone, {project.id for project in loaded.projects})
        self.assertEqual(len(loaded.projects) - 1, loaded.in_scope)
        self.assertEqual(0, loaded.missing)

    def assert_gone(self, loaded: CollectedProjects) -> None:
        self.assertEqual({}, loaded.until)
        self.assertNotIn(self.gone, {project.id for project in loaded.projects})
        self.assertNotIn(self.gone, loaded.last_collected)

    def last_collected(self) -> datetime.datetime:
        return self.store.last_collected([self.gone])[self.gone]


class DepartureTest(DepartureTestCase):
    def test_deleted_project_is_collected_to_its_end(self) -> None:
        self.start()
        self.cloud.projects.delete(self.gone)
        for hour in (1, 2, 3, 4):
            self.assert_departing(NOON + 4 * HOUR, self.run_at(NOW + hour * HOUR))
        self.assertEqual(NOON + 4 * HOUR, self.last_collected())
        for hour in (5, 6):
            self.assert_gone(self.run_at(NOW + hour * HOUR))
        self.assertNotIn(self.gone, TrackedProjects(self.engine).load())

    def test_disabled_project_departs(self) -> None:
        self.start()
        self.cloud.projects.update(self.gone, {"enabled": False})
        self.assert_departing(NOON + 4 * HOUR, self.run_at(NOW + HOUR))

    def test_samples_put_the_end_off(self) -> None:
        self.start()
        self.cloud.projects.delete(self.gone)
        self.run_at(NOW + HOUR)
        self.collect(self.gone, NOON + HOUR, NOON + 2 * HOUR, Plan().departed_until(NOON + 9 * HOUR))
        self.assert_departing(NOON + 11 * HOUR, self.run_at(NOW + 4 * HOUR))

    def test_long_outage_is_made_up(self) -> None:
        self.start()
        self.cloud.projects.delete(self.gone)
        self.assert_departing(NOON + 18 * HOUR, self.run_at(NOW + 15 * HOUR))

    def test_returning_project_is_in_scope(self) -> None:
        self.start()
        self.cloud.projects.delete(self.gone)
        self.run_at(NOW + HOUR)
        self.cloud.projects.update(self.gone, {})
        loaded = self.run_at(NOW + 2 * HOUR)
        self.assertEqual(({}, 12), (loaded.until, loaded.in_scope))
        self.cloud.projects.delete(self.gone)
        self.assert_departing(NOON + 7 * HOUR, self.run_at(NOW + 4 * HOUR))

    def test_two_deleted_projects_are_no_drop(self) -> None:
        three = self.cloud.projects.enabled_ids[:3]
        self.start(include_projects=three)
        for project_id in (self.gone, self.other):
            self.cloud.projects.delete(project_id)
        loaded = self.run_at(NOW + HOUR, include_projects=three)
        self.assertEqual((0, 1, {self.gone, self.other}), (loaded.missing, loaded.in_scope, set(loaded.until)))

    def test_returning_after_its_end_is_in_scope(self) -> None:
        self.start()
        self.cloud.projects.delete(self.gone)
        for hour in range(1, 7):
            self.run_at(NOW + hour * HOUR)
        self.cloud.projects.update(self.gone, {})
        loaded = self.run_at(NOW + 7 * HOUR)
        self.assertEqual(({}, 12), (loaded.until, loaded.in_scope))
        self.assertEqual(NOON + 7 * HOUR, self.last_collected())

    def test_zero_windows_collect_no_departed_project(self) -> None:
        self.start()
        self.cloud.projects.delete(self.gone)
        self.assert_gone(self.run_at(NOW + HOUR, plan=Plan(departed_windows=0)))
        self.assertEqual(NOON, self.last_collected())

    def test_departures_before_first_run_are_unknown(self) -> None:
        self.start()
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(in_scope_of=None))
        self.cloud.projects.delete(self.gone)
        self.assert_gone(self.run_at(NOW + HOUR))

    def test_unaligned_windows_end_later(self) -> None:
        self.start()
        with self.engine.begin() as connection:
            half = sa.update(models.tenants).values(last_collected=NOON - HOUR / 2)
            connection.execute(half.where(models.tenants.c.id == self.gone))
        self.cloud.projects.delete(self.gone)
        self.assert_departing(NOON + 3.5 * HOUR, self.run_at(NOW + HOUR))


class DepartureScopeTest(DepartureTestCase):
    def test_ignored_project_has_not_departed(self) -> None:
        """It is deleted while it is ignored, and then the entry, which matches nothing any more, is removed."""
        self.start()
        self.assert_gone(self.run_at(NOW + HOUR, ignore_projects=self.gone))
        self.cloud.projects.delete(self.gone)
        self.assert_gone(self.run_at(NOW + 2 * HOUR, ignore_projects=self.gone))
        self.assert_gone(self.run_at(NOW + 3 * HOUR))

    def test_moved_project_has_not_departed(self) -> None:
        self.start()
        self.assert_gone(self.run_at(NOW + HOUR, ignore_projects=self.gone))
        self.assertEqual(1, self.run_at(NOW + HOUR, "other", include_projects=self.gone).in_scope)
        self.assert_gone(self.run_at(NOW + 2 * HOUR, ignore_projects=self.gone))

    def test_project_departs_from_one_scope(self) -> None:
        self.cloud.projects.update(self.gone, {"name": "mine"})
        self.start(ignore_projects="mine")
        self.run_at(NOON, "other", Plan(max_collection_start_age=0), include_projects="mine")
        self.cloud.projects.delete(self.gone)
        self.assert_gone(self.run_at(NOW + HOUR, ignore_projects="mine"))
        loaded = self.run_at(NOW + HOUR + 20 * MINUTE, "other", include_projects="mine")
        self.assertEqual((0, 0, 1), (len(loaded.until), loaded.in_scope, loaded.missing))
        loaded = self.run_at(NOW + 2 * HOUR, "other", include_projects="mine")
        self.assertEqual(([self.gone], 0, 0), ([*loaded.until], loaded.in_scope, loaded.missing))

    def test_filters_hold_for_departed_projects(self) -> None:
        project = self.cloud.projects.find(self.gone)
        assert project
        self.start()
        self.cloud.projects.delete(self.gone)
        self.assert_departing(NOON + 4 * HOUR, self.run_at(NOW + HOUR))
        for scope in (
            {"ignore_projects": project["name"]},
            {"ignore_domains": "Default"},
            {"include_domains": "customers"},
            {"include_projects": self.other},
        ):
            with self.subTest(scope):
                self.assert_gone(self.run_at(NOW + 2 * HOUR, **scope))
        self.assert_departing(NOON + 4 * HOUR, self.run_at(NOW + 2 * HOUR, include_domains="Default"))

    def test_projects_of_deleted_domain_depart(self) -> None:
        """The only domain is named in the scope, and all of its projects go with it, so a second run is needed."""
        domain = next(entry for entry in self.cloud.projects.domains if entry["name"] == "customers")
        self.start(include_domains="customers")
        customers = list(self.store.last_collected(self.cloud.projects.enabled_ids))
        domain.update(id="new", name="new")
        for project_id in customers:
            self.cloud.projects.delete(project_id)
        self.assertEqual(3, self.run_at(NOW + HOUR, include_domains="customers").missing)
        self.assertEqual(set(customers), set(self.run_at(NOW + 2 * HOUR, include_domains="customers").until))
        self.assertEqual({}, self.run_at(NOW + 2 * HOUR, "other", ignore_domains="customers").until)


class RenamedEntryTest(DepartureTestCase):
    """An entry of what to include matches nothing any more, although Keystone lists the projects."""

    def test_projects_of_renamed_domain_are_missing(self) -> None:
        scope: dict[str, Any] = {"include_domains": ("Default", "customers")}
        self.start(**scope)
        domain = next(entry for entry in self.cloud.projects.domains if entry["name"] == "customers")
        domain["name"] = "clients"
        for hours in (1, 2):
            loaded = self.run_at(NOW + hours * HOUR, **scope)
            self.assertEqual((3, 4, {}), (loaded.missing, loaded.in_scope, loaded.until))
        self.assertEqual(0, self.run_at(NOW + 3 * HOUR, include_domains=("Default", "clients")).missing)

    def test_renamed_project_is_missing(self) -> None:
        scope: dict[str, Any] = {"include_projects": ("project-0", "project-1")}
        self.start(**scope)
        self.cloud.projects.update(self.gone, {"name": "renamed"})
        self.assertEqual(1, self.run_at(NOW + HOUR, **scope).missing)
        self.assertEqual(0, self.run_at(NOW + 2 * HOUR, include_projects="project-1").missing)

    def test_unused_entry_hides_no_departure(self) -> None:
        self.start(include_domains=("customers", "Default", "never existed"))
        self.cloud.projects.delete(self.gone)
        loaded = self.run_at(NOW + HOUR, include_domains=("customers", "Default", "never existed"))
        self.assertEqual(0, loaded.missing)
        self.assert_departing(NOON + 4 * HOUR, loaded)


class SuddenDropTest(DepartureTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.start()
        self.lost = self.cloud.projects.enabled_ids[:3]
        for project_id in self.lost:
            self.cloud.projects.delete(project_id)

    def test_nobody_departs_in_one_run(self) -> None:
        for delay in (0, 2, 9):
            loaded = self.run_at(NOW + HOUR + delay * MINUTE)
            self.assertEqual((3, 9, {}, 9), (loaded.missing, loaded.in_scope, loaded.until, len(loaded.projects)))

    def test_later_run_confirms_drop(self) -> None:
        self.run_at(NOW + HOUR)
        loaded = self.run_at(NOW + 2 * HOUR)
        self.assertEqual((0, 9), (loaded.missing, loaded.in_scope))
        self.assertEqual(dict.fromkeys(self.lost, NOON + 4 * HOUR), loaded.until)
        self.assertEqual(NOON + 2 * HOUR, self.last_collected())

    def test_restored_list_needs_no_action(self) -> None:
        self.run_at(NOW + HOUR)
        for project_id in self.lost:
            self.cloud.projects.update(project_id, {})
        loaded = self.run_at(NOW + 2 * HOUR)
        self.assertEqual((0, 12, {}), (loaded.missing, loaded.in_scope, loaded.until))
        self.cloud.projects.delete(self.gone)
        self.assert_departing(NOON + 6 * HOUR, self.run_at(NOW + 3 * HOUR))

    def test_empty_list_departs_nobody(self) -> None:
        for project_id in [*self.cloud.projects.enabled_ids, self.cloud.projects.service_id]:
            self.cloud.projects.update(project_id, {"is_domain": True})
        loaded = self.run_at(NOW + HOUR)
        self.assertEqual((12, 0, 0), (loaded.missing, loaded.in_scope, len(loaded.projects)))

    def test_run_tells_and_does_not_succeed(self) -> None:
        site = self.enterContext(Site(projects=6, resources=1))
        site.collect(site.start + HOUR)
        for project_id in site.cloud.projects.enabled_ids[:3]:
            site.cloud.projects.delete(project_id)
        log = site.collect(status=1)
        self.assertIn("3 of 7 projects of collector default are missing in Keystone's list at once", log)
        self.assertIn("; 3 projects missing; ", log)


class _Backends:
    class DepartedUsageTest(unittest.TestCase):
        """A project is deleted after the first of three hours."""

        BACKEND: ClassVar[str]

        def test_last_usage_is_collected(self) -> None:
            site = self.enterContext(Site(self.BACKEND, projects=6, resources=1))
            undisturbed = self.enterContext(Site(cloud=site.cloud))
            undisturbed.collect()
            site.collect(site.start + HOUR)
            site.cloud.projects.delete(site.cloud.projects.enabled_ids[0])
            log = site.collect()
            self.assertIn("1 project left Keystone's list; collecting the last usage", log)
            self.assertIn("6 projects and 1 departed: 14 windows committed", log)
            self.assertEqual(undisturbed.usage(), site.usage())

        def test_samples_put_the_end_off(self) -> None:
            site = self.enterContext(Site(self.BACKEND, projects=6, resources=1))
            gone = site.cloud.projects.enabled_ids[0]
            site.collect(site.start + HOUR)
            site.cloud.projects.delete(gone)
            site.collect(site.start + HOUR)
            with site.engine.begin() as connection:
                end = sa.update(models.tenants).values(collect_until=site.start + 2 * HOUR)
                connection.execute(end.where(models.tenants.c.id == gone))
            for hour in (2, 3):
                site.collect()
                self.assertEqual(site.start + hour * HOUR, site.last_collected()[gone])


class SQLiteTest(_Backends.DepartedUsageTest):
    BACKEND = databases.SQLITE


class MariaDBTest(_Backends.DepartedUsageTest):
    BACKEND = databases.MYSQL


class PostgreSQLTest(_Backends.DepartedUsageTest):
    BACKEND = databases.POSTGRESQL
