# SPDX-License-Identifier: Apache-2.0
"""``parity``: against the predecessor's database, databases of other revisions, and other telemetry drivers."""

import datetime
import json
import unittest
from decimal import Decimal
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.db import migration
from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support import predecessor
from distil.tests.support.site import ETC
from distil.tests.support.site import Site

START = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
PERIOD = ("--start", "2026-01-02", "--end", "2026-01-02T04:00:00")
# Half of the last place that is kept, and others.
VOLUMES = [Decimal(volume) for volume in ("1", "0.125", "0.115", "2.675", "514.2857142857", "0.0049999999")]


def entry(number: int, hour: int, **values: object) -> dict[str, object]:
    row = {
        "tenant_id": "p1",
        "service": f"s{number % 2}",
        "resource_id": f"r{number}",
        "unit": "hour",
        "volume": VOLUMES[number],
        "start": START + hour * HOUR,
        "end": START + (hour + 1) * HOUR,
    }
    return row | values


class _ParityCase(manage.ManageTestCase):
    """Has the same usage of p1, of three hours, in both databases."""

    other: ClassVar[sa.Engine]
    other_url: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.other_url = cls.enterClassContext(databases.database(cls.BACKEND, migrated=False))
        cls.other = db_engine.create_engine(cls.other_url)
        cls.addClassCleanup(cls.other.dispose)
        cls.create()

    @classmethod
    def create(cls) -> None:
        """Create the other database's tables."""
        raise NotImplementedError

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.clear)
        self.entries = [entry(number, hour) for hour in range(3) for number in range(len(VOLUMES))]
        for engine in (self.engine, self.other):
            self.add_project(engine, "p1", START + 3 * HOUR)
            self.add(engine, models.usage_entry, *self.entries)

    def clear(self) -> None:
        with self.other.begin() as connection:
            for table in (models.usage_entry, models.resources, models.tenants):
                connection.execute(sa.delete(table))

    def add(self, engine: sa.Engine, table: sa.Table, *rows: Any) -> None:
        with engine.begin() as connection:
            connection.execute(sa.insert(table), list(rows))

    def add_project(self, engine: sa.Engine, project_id: str, last_collected: datetime.datetime | None) -> None:
        self.add(engine, models.tenants, {"id": project_id, "name": project_id, "last_collected": last_collected})
        resources = [{"id": f"r{number}", "tenant_id": project_id} for number in range(len(VOLUMES))]
        self.add(engine, models.resources, *resources)

    def change(self, statement: Any) -> None:
        with self.other.begin() as connection:
            connection.execute(statement)

    def content(self) -> list[set[tuple[object, ...]]]:
        """The rows of both databases."""
        columns = models.usage_entry.c
        query = sa.select(columns.start, columns.service, columns.resource_id, columns.unit, columns.volume)
        content = []
        for engine in (self.engine, self.other):
            with engine.connect() as connection:
                content.append(set(map(tuple, connection.execute(query))))
        return content

    def parity(self, *arguments: str, status: int = 0) -> Any:
        return self.rows("parity", "--database", self.other_url, *PERIOD, *arguments, status=status)


class PredecessorParityTest(_ParityCase):
    """The other database rounds to two places."""

    BACKEND = databases.MYSQL

    @classmethod
    def create(cls) -> None:
        predecessor.create(cls.other, predecessor.DDL)

    def test_rounding_alone_is_no_difference(self) -> None:
        rows = self.parity()
        self.assertEqual({("s0", "rounding", 6), ("s1", "rounding", 9)}, summary(rows))

    def test_each_difference_has_its_cause(self) -> None:
        columns = models.usage_entry.c
        first, second, third = (columns.start == START + hour * HOUR for hour in range(3))
        self.change(sa.update(models.usage_entry).where(first, columns.resource_id == "r0").values(volume=2))
        self.change(sa.update(models.usage_entry).where(second, columns.resource_id == "r0").values(unit="Hour"))
        self.change(sa.delete(models.usage_entry).where(third, columns.resource_id == "r0"))
        self.add(self.other, models.usage_entry, entry(0, 0, service="s7"))
        before = self.content()
        rows = [row for row in self.parity("--rows", status=1) if row["cause"] != "rounding"]
        self.assertEqual(before, self.content())
        found = [
            (row["start"][11:13], row["service"], row["unit"], row["cause"], row["here"], row["there"]) for row in rows
        ]
        expected = [
            ("00", "s0", "hour", "volume", "1", "2"),
            ("00", "s7", "hour", "only there", None, "1"),
            ("01", "s0", "hour / Hour", "unit", "1", "1"),
            ("02", "s0", "hour", "only here", "1", None),
        ]
        self.assertEqual(expected, found)

    def test_tolerance_accepts_volumes(self) -> None:
        self.change(sa.update(models.usage_entry).values(volume=models.usage_entry.c.volume + Decimal("0.03")))
        self.assertIn("volume", {row["cause"] for row in self.parity("--tolerance", "0.02", status=1)})
        self.assertEqual({"tolerance"}, {row["cause"] for row in self.parity("--tolerance", "0.04")})

    def test_windows_of_one_side_are_told_apart(self) -> None:
        self.add(self.engine, models.usage_entry, *(entry(number, 3) for number in range(4)))
        self.add_project(self.other, "p2", START + 2 * HOUR)
        self.add(self.other, models.usage_entry, *(entry(0, hour, tenant_id="p2") for hour in range(2)))
        rows = [row for row in self.parity(status=1) if row["cause"] != "rounding"]
        expected = {("s0", "not collected there", 2), ("s1", "not collected there", 2), ("s0", "not collected here", 2)}
        self.assertEqual(expected, summary(rows))
        rows = [row for row in self.parity("--rows", status=1) if row["cause"] != "rounding"]
        self.assertEqual(
            [
                ("p1", "2026-01-02T03:00:00Z", "2026-01-02T04:00:00Z", "not collected there"),
                ("p2", "2026-01-02T00:00:00Z", "2026-01-02T02:00:00Z", "not collected here"),
            ],
            [(row["project_id"], row["start"], row["end"], row["cause"]) for row in rows],
        )
        self.assertNotIn("not collected here", {row["cause"] for row in self.parity("--project", "p1", status=1)})

    def test_configuration_file_names_the_database(self) -> None:
        other = self.config.with_name("other.conf")
        other.write_text(f"[database]\nconnection = {self.other_url}\n[other]\nx = 1\n")
        rows = self.rows("parity", "--database-config", str(other), *PERIOD)
        self.assertEqual({"rounding"}, {row["cause"] for row in rows})

    def test_password_is_not_shown(self) -> None:
        url = sa.make_url(self.other_url).set(password="not-the-password", host="127.0.0.1", port=1)
        message = self.error("parity", "--database", url.render_as_string(hide_password=False), *PERIOD)
        self.assertRegex(message, r"could not connect to .*:\*\*\*@127.0.0.1:1/.* \(--database\): ")
        self.assertNotIn("not-the-password", message)


class OlderRevisionParityTest(PredecessorParityTest):
    BACKEND = databases.POSTGRESQL

    @classmethod
    def create(cls) -> None:
        migration.upgrade(cls.other, "002")


class UpgradedParityTest(manage.ManageTestCase):
    """A database that was upgraded in place, and a copy from before."""

    BACKEND = databases.MYSQL
    MIGRATED = False

    def setUp(self) -> None:
        super().setUp()
        rows = (*predecessor.ROWS, *predecessor.INEXACT_IDS)
        predecessor.create(self.engine, (*predecessor.DDL, *rows))
        migration.upgrade(self.engine)
        self.other_url = self.enterContext(databases.database(self.BACKEND, migrated=False))
        other = db_engine.create_engine(self.other_url)
        predecessor.create(other, (*predecessor.DDL, *rows))
        other.dispose()

    def test_upgrade_changes_no_usage(self) -> None:
        """Nor of ids that only differ in case or trailing blanks."""
        notes = self.notes("parity", "--database", self.other_url, "--month", "2026-01")
        self.assertIn("Compared 4 entries: 4 equal\n", notes)


class SameRevisionParityTest(_ParityCase):
    BACKEND = databases.SQLITE

    @classmethod
    def create(cls) -> None:
        migration.upgrade(cls.other)

    def test_equal_databases_have_no_rows(self) -> None:
        self.assertEqual([], self.parity())
        notes = self.notes("parity", "--database", self.other_url, *PERIOD)
        self.assertIn("Compared 18 entries: 18 equal\n", notes)

    def test_small_difference_is_none_of_rounding(self) -> None:
        self.change(
            sa.update(models.usage_entry).values(volume=Decimal("0.13")).where(models.usage_entry.c.resource_id == "r1")
        )
        self.assertEqual({("s1", "volume", 3)}, summary(self.parity(status=1)))

    def test_bad_arguments_are_refused(self) -> None:
        for arguments, message in (
            ((*PERIOD,), "one of the arguments --database --database-config --driver is required"),
            ((*PERIOD, "--database", "x", "--driver", "y"), "not allowed with argument"),
            (("--database", self.other_url), "choose a period"),
            ((*PERIOD, "--database", self.other_url, "--tolerance", "-1"), "not a non-negative number"),
            ((*PERIOD, "--database", self.other_url, "--tolerance", "nan"), "not a non-negative number"),
        ):
            self.assertIn(message, self.usage_error("parity", *arguments))

    def test_unusable_databases_fail(self) -> None:
        empty = self.config.with_name("empty.sqlite")
        empty.touch()
        for arguments, message in (
            (("--database", "nonsense:secret"), "--database is not a valid database URL"),
            (("--database", "mysql://u:secret@127.0.0.1:1/x"), "u:***@127.0.0.1:1/x (--database): 2003"),
            (("--database", f"sqlite:///{self.config.parent}/none"), "does not exist"),
            (("--database", f"sqlite:///{empty}"), "is not a database of usage: it has no table tenants"),
            (("--database-config", "/none"), "cannot be read"),
            (("--database-config", str(empty)), "[database] connection is not set"),
        ):
            shown = self.error("parity", *PERIOD, *arguments)
            self.assertIn(message, shown)
            self.assertNotIn("secret", shown)

    def test_other_schema_fails(self) -> None:
        other = db_engine.create_engine(f"sqlite:///{self.config.with_name('other.sqlite')}")
        with other.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE tenants (id TEXT, name TEXT)")
        other.dispose()
        shown = self.error("parity", "--database", str(other.url), *PERIOD)
        self.assertIn("its table tenants lacks last_collected", shown)

    def test_empty_period_fails(self) -> None:
        result = manage.run(self.config, "parity", "--database", self.other_url, "--month", "2020-01")
        self.assertEqual(1, result.returncode)
        self.assertIn("Neither side has usage in the period", result.stderr)


class DriverParityTest(unittest.TestCase):
    site: ClassVar[Site]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site(databases.MYSQL, projects=2, resources=2))
        cls.site.configure(
            sections={
                "gnocchi": {"meters_file": ETC / "gnocchi_meters.yml"},
                "prometheus": {"meters_file": ETC / "prometheus_meters.yml", "url": cls.site.cloud.prometheus_url},
            }
        )
        cls.site.collect()

    def test_own_driver_has_no_differences(self) -> None:
        result = self.parity("--driver", "ceilometer")
        self.assertEqual((0, []), (result.returncode, json.loads(result.stdout)))
        number = len(self.site.usage())
        self.assertIn(f"Compared {number} entries: {number} equal", result.stderr)

    def test_services_that_driver_lacks_are_only_here(self) -> None:
        for driver, missing in (("gnocchi", "n1.router"), ("prometheus", "n1.national-in")):
            with self.subTest(driver):
                result = self.parity("--driver", driver)
                rows = json.loads(result.stdout)
                self.assertEqual({"only here"}, {row["cause"] for row in rows})
                (row,) = [row for row in rows if row["service"] == missing]
                stored = self.site.usage(service=missing)
                self.assertEqual(
                    (len(stored), sum(one.volume for one in stored)), (row["entries"], Decimal(row["here"]))
                )
                self.assertEqual(1, result.returncode)
                self.assertIn(f"The driver {driver}: meter ", result.stderr)

    def test_changed_entry_is_found(self) -> None:
        chosen = self.site.usage(service="n1.router")[0]
        columns = models.usage_entry.c
        where = (
            columns.service == chosen.service,
            columns.resource_id == chosen.resource_id,
            columns.start == chosen.start,
        )
        statement = sa.update(models.usage_entry).where(*where)
        self.addCleanup(self.execute, statement.values(volume=chosen.volume))
        self.execute(statement.values(volume=7))
        rows = json.loads(self.parity("--driver", "ceilometer", "--rows").stdout)
        self.assertEqual([("volume", "7", "1")], [(row["cause"], row["here"], row["there"]) for row in rows])

    def test_windows_without_receipts_are_counted(self) -> None:
        project_id = self.site.usage()[0].project_id
        removed = [row._asdict() for row in self.site.rows(sa.select(models.receipts).filter_by(tenant_id=project_id))]
        self.addCleanup(self.execute, sa.insert(models.receipts), removed)
        self.execute(sa.delete(models.receipts).filter_by(tenant_id=project_id))
        result = self.parity("--driver", "ceilometer", "--project", project_id)
        self.assertEqual(1, result.returncode)
        self.assertIn("3 windows without a receipt not compared", result.stderr)

    def test_failed_window_is_counted(self) -> None:
        project_id = self.site.usage()[0].project_id
        self.site.cloud.add_fault("metering", "status", status=400, project_id=project_id)
        self.addCleanup(self.site.cloud.faults.clear)
        result = self.parity("--driver", "ceilometer")
        self.assertEqual((1, []), (result.returncode, json.loads(result.stdout)))
        self.assertIn(f"3 windows failed, such as project {project_id}, window [", result.stderr)

    def test_unknown_driver_fails(self) -> None:
        result = self.parity("--driver", "none")
        self.assertEqual((1, ""), (result.returncode, result.stdout))
        self.assertIn("unknown telemetry driver 'none'", result.stderr)

    def parity(self, *arguments: str) -> Any:
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        return manage.run(self.site.config, "parity", *period, *arguments, "--format", "json")

    def execute(self, *statement: Any) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(*statement)


def summary(rows: Any) -> set[tuple[str, str, int]]:
    return {(row["service"], row["cause"], row["entries"]) for row in rows}
