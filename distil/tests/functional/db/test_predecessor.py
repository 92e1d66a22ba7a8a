# SPDX-License-Identifier: Apache-2.0
"""Upgrades of the predecessor's database in place, on MariaDB."""

import datetime
import unittest
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import engine as db_engine
from distil.db import migration
from distil.db import models
from distil.db import revision
from distil.db import store
from distil.tests.support import databases
from distil.tests.support import predecessor
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


def fresh_engine(test: unittest.TestCase) -> sa.Engine:
    url = test.enterContext(databases.database(databases.MYSQL, migrated=False))
    engine = db_engine.create_engine(url)
    test.addCleanup(engine.dispose)
    return engine


class PredecessorMigrationTest(unittest.TestCase):
    def setUp(self) -> None:
        self.engine = fresh_engine(self)
        predecessor.create(self.engine)
        self.before = predecessor.rows(self.engine)

    def test_upgrade_keeps_all_rows(self) -> None:
        migration.upgrade(self.engine)
        migration.check(self.engine)
        after = predecessor.rows(self.engine)
        for table in predecessor.TABLES:
            with self.subTest(table=table):
                self.assertTrue(self.before[table])
                self.assertLessEqual(self.before[table], after[table])
        self.assertEqual(self.before["usage_entry"], after["usage_entry"])

    def test_upgrades_older_row_formats(self) -> None:
        """Older row formats limit keys to 767 bytes."""
        for row_format, engine in (("COMPACT", fresh_engine(self)), ("REDUNDANT", fresh_engine(self))):
            with self.subTest(row_format=row_format):
                ddl = [
                    statement.replace("ENGINE=InnoDB", f"ENGINE=InnoDB ROW_FORMAT={row_format}")
                    for statement in predecessor.DDL
                ]
                predecessor.create(engine, (*ddl, *predecessor.ROWS))
                migration.upgrade(engine)
                migration.check(engine)

    def test_outdated_revision_raises(self) -> None:
        with self.assertRaisesRegex(exceptions.SchemaError, "at revision 002, not .*distil-db-manage upgrade head"):
            revision.require_head(self.engine)
        migration.upgrade(self.engine)
        revision.require_head(self.engine)

    def test_zero_date_counts_as_unset(self) -> None:
        migration.upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(sa.text("SET SESSION sql_mode = ''"))
            connection.execute(sa.text("UPDATE tenants SET last_collected = '0000-00-00 00:00:00' WHERE id = 'p2'"))
        self.assertEqual(["p1"], list(store.Store(self.engine).last_collected(["p1", "p2"])))

    def test_shared_resource_is_copied_per_project(self) -> None:
        migration.upgrade(self.engine)
        after = predecessor.rows(self.engine)
        self.assertEqual([("shared", "p2")], [row[:2] for row in after["resources"] - self.before["resources"]])

    def test_differently_spelt_ids_get_own_rows(self) -> None:
        predecessor.create(self.engine, predecessor.INEXACT_IDS)
        entries = predecessor.rows(self.engine)["usage_entry"]
        migration.upgrade(self.engine)
        migration.check(self.engine)
        after = predecessor.rows(self.engine)
        self.assertEqual(entries, after["usage_entry"])
        self.assertEqual(
            {("shared", "p2"), ("shared ", "P2"), ("VOLUME-1", "p1")},
            {row[:2] for row in after["resources"] - self.before["resources"]},
        )
        self.assertEqual([("P2", "P2", None)], [row[:3] for row in after["tenants"] - self.before["tenants"]])

    def test_store_continues_from_last_collected(self) -> None:
        migration.upgrade(self.engine)
        upgraded = store.Store(self.engine)
        start = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
        self.assertEqual({"p1": start}, upgraded.last_collected(["p1", "p2", "P1"]))
        self.assertEqual({"volume-1": {"name": "größe"}}, upgraded.project("p1").resource_info(["volume-1"]))
        usage = [model.Usage("b1.standard", "volume-1", "byte", Decimal("0.004"))]
        upgraded.project("p1").commit(model.Window(start, start + datetime.timedelta(hours=1)), usage, [], [])
        with self.engine.connect() as connection:
            query = sa.select(models.usage_entry.c.volume).where(models.usage_entry.c.start == start)
            self.assertEqual(Decimal("0.004"), connection.scalar(query))

    def test_downgrade_to_002_restores_schema(self) -> None:
        schema = predecessor.schema(self.engine)
        migration.upgrade(self.engine)
        migration.downgrade(self.engine, "002")
        after = predecessor.rows(self.engine)
        for table in predecessor.TABLES:
            with self.subTest(table=table):
                self.assertLessEqual(self.before[table], after[table])
        self.assertEqual(self.before["usage_entry"], after["usage_entry"])
        self.assertEqual(schema["columns"], predecessor.schema(self.engine)["columns"])
        migration.upgrade(self.engine)
        migration.check(self.engine)

    def test_downgrade_with_unsupported_data_raises(self) -> None:
        migration.upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), {"id": "p3", "name": "🐘"})
        with self.assertRaisesRegex(exceptions.StoreError, "downgrade to 002"):
            migration.downgrade(self.engine, "002")
        migration.upgrade(self.engine)
        migration.check(self.engine)

    def test_every_revision_can_be_repeated(self) -> None:
        """As after a crash between a revision's last step and the update of alembic_version."""
        for before, after in (
            ("002", "003"),
            ("003", "004"),
            ("004", "005"),
            ("005", "006"),
            ("006", "007"),
            ("007", "008"),
            ("008", "009"),
            ("009", "010"),
            ("010", "011"),
            ("011", "012"),
            ("012", "013"),
            ("013", "014"),
            ("014", "015"),
            ("015", "016"),
        ):
            with self.subTest(revision=after):
                migration.upgrade(self.engine, after)
                migration.stamp(self.engine, before)
                migration.upgrade(self.engine, after)
        migration.check(self.engine)
        self.assertEqual(self.before["usage_entry"], predecessor.rows(self.engine)["usage_entry"])

    def test_interrupted_upgrade_can_be_repeated(self) -> None:
        """Revision 005 has dropped foreign keys and converted one table."""
        migration.upgrade(self.engine, "004")
        with self.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE resources DROP FOREIGN KEY resources_ibfk_1")
            connection.exec_driver_sql("ALTER TABLE sales_orders DROP FOREIGN KEY sales_orders_ibfk_1")
            connection.exec_driver_sql("ALTER TABLE resources MODIFY info MEDIUMTEXT CHARACTER SET utf8mb4")
        migration.upgrade(self.engine)
        migration.check(self.engine)


class PredecessorCollectionTest(unittest.TestCase):
    def test_collector_continues_where_predecessor_stopped(self) -> None:
        site = self.enterContext(Site(databases.MYSQL, migrated=False, projects=2, resources=1))
        uninterrupted = self.enterContext(Site(cloud=site.cloud))
        uninterrupted.collect()
        predecessor.create(site.engine)
        stopped = site.start + HOUR
        with site.engine.begin() as connection:
            for project_id in site.cloud.projects.enabled_ids:
                connection.execute(
                    sa.text("INSERT INTO tenants VALUES (:id, 'old name', NULL, NULL, :stopped)"),
                    {"id": project_id, "stopped": stopped.replace(tzinfo=None)},
                )
        before = predecessor.rows(site.engine)
        migration.upgrade(site.engine)
        site.collect()
        expected = [entry for entry in uninterrupted.usage() if entry.start >= stopped]
        self.assertTrue(expected)
        self.assertEqual(expected, [entry for entry in site.usage() if entry.start >= site.start])
        self.assertLessEqual(before["usage_entry"], predecessor.rows(site.engine)["usage_entry"])


class Revision002Test(unittest.TestCase):
    def test_schema_matches_existing_installs(self) -> None:
        existing, migrated = fresh_engine(self), fresh_engine(self)
        predecessor.create(existing, predecessor.DDL)
        migration.upgrade(migrated, "002")
        expected, found = predecessor.schema(existing), predecessor.schema(migrated)
        for part, rows in expected.items():
            with self.subTest(part=part):
                self.assertTrue(rows)
                self.assertEqual(rows, found[part])
