# SPDX-License-Identifier: Apache-2.0
"""Upgrade, downgrade and check of the tables, on every backend."""

import datetime
from decimal import Decimal

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions
from distil.db import migration
from distil.db import models
from distil.db import revision
from distil.tests.support import databases


class TestMigrationSQLite(databases.DatabaseTestCase):
    MIGRATED = False

    def setUp(self) -> None:
        self.addCleanup(migration.downgrade, self.engine, "base")
        migration.upgrade(self.engine)

    def test_migrated_tables_match_models(self) -> None:
        migration.check(self.engine)
        self.assertEqual(migration.history()[-1][0], revision.current(self.engine))

    def test_repeated_upgrade_changes_nothing(self) -> None:
        migration.upgrade(self.engine)
        migration.check(self.engine)

    def test_downgrade_and_upgrade_keep_rows(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), {"id": "p", "name": "n", "info": "i"})
            connection.execute(sa.insert(models.resources), {"id": "r", "tenant_id": "p", "info": "{}"})
        migration.downgrade(self.engine, "002")
        self.assertEqual("002", revision.current(self.engine))
        migration.upgrade(self.engine)
        migration.check(self.engine)
        with self.engine.connect() as connection:
            self.assertEqual("p", connection.scalar(sa.select(models.resources.c.tenant_id)))

    def test_upgrade_creates_missing_resources(self) -> None:
        migration.downgrade(self.engine, "002")
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        entry = {"service": "s", "unit": "u", "volume": 1.25, "tenant_id": "p2", "resource_id": "r"}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), [{"id": "p1", "name": "n"}, {"id": "p2", "name": "n"}])
            connection.execute(sa.insert(models.resources), {"id": "r", "tenant_id": "p1", "info": "{}"})
            connection.execute(sa.insert(models.usage_entry), entry | {"start": start, "end": start})
        migration.upgrade(self.engine)
        with self.engine.connect() as connection:
            owners = set(connection.scalars(sa.select(models.resources.c.tenant_id)))
            volumes = list(connection.scalars(sa.select(models.usage_entry.c.volume)))
        self.assertEqual({"p1", "p2"}, owners)
        self.assertEqual([Decimal("1.25")], volumes)

    def test_check_reports_missing_table(self) -> None:
        with self.engine.begin() as connection:
            models.rejected_samples.drop(connection)
        self.addCleanup(models.rejected_samples.create, self.engine)
        with self.assertRaisesRegex(exceptions.StoreError, "add_table rejected_samples; add_index"):
            migration.check(self.engine)

    def test_check_fails_before_newest_revision(self) -> None:
        migration.downgrade(self.engine, "003")
        with self.assertRaisesRegex(exceptions.SchemaError, "revision 003, not .* run distil-db-manage upgrade head"):
            migration.check(self.engine)

    def test_newer_revision_raises(self) -> None:
        self.addCleanup(self.set_revision, revision.head())
        self.set_revision("999")
        for action in (migration.upgrade, migration.check, revision.require_head):
            with self.subTest(action=action), self.assertRaisesRegex(exceptions.SchemaError, "999 .*install that"):
                action(self.engine)

    def set_revision(self, revision: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})

    def test_unknown_revision_raises(self) -> None:
        with self.assertRaisesRegex(exceptions.NotFound, "nope"):
            migration.upgrade(self.engine, "nope")

    def test_usage_requires_own_project_resource(self) -> None:
        entry = {"service": "s", "unit": "u", "volume": 1, "tenant_id": "p2", "resource_id": "r"}
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), [{"id": "p1", "name": "n"}, {"id": "p2", "name": "n"}])
            connection.execute(sa.insert(models.resources), {"id": "r", "tenant_id": "p1"})
        with self.assertRaises(db_exception.DBReferenceError), self.engine.begin() as connection:
            connection.execute(sa.insert(models.usage_entry), entry | {"start": start, "end": start})


class TestMigrationMySQL(TestMigrationSQLite):
    BACKEND = databases.MYSQL


class TestMigrationPostgreSQL(TestMigrationSQLite):
    BACKEND = databases.POSTGRESQL
