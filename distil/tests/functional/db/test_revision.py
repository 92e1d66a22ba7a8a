# SPDX-License-Identifier: Apache-2.0
"""The revision of a database, which may change while collectors run."""

import time

import sqlalchemy as sa

from distil.db import migration
from distil.db import revision
from distil.db import store
from distil.tests.support import databases
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site
from distil.tests.support.site import stay_away_from_the_hour


class RevisionSQLiteTest(databases.DatabaseTestCase):
    def test_current_is_one_query(self) -> None:
        statements: list[str] = []

        def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        sa.event.listen(self.engine, "before_cursor_execute", record)
        self.addCleanup(sa.event.remove, self.engine, "before_cursor_execute", record)
        store.Store(self.engine).require_head()
        self.assertEqual(1, sum("alembic_version" in statement for statement in statements), statements)
        self.assertLessEqual(len(statements), 2, statements)

    def test_missing_table_is_no_revision(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE alembic_version RENAME TO renamed")
        self.assertIsNone(revision.current(self.engine))
        with self.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE renamed RENAME TO alembic_version")
        self.assertEqual(revision.head(), revision.current(self.engine))


class RevisionMySQLTest(RevisionSQLiteTest):
    BACKEND = databases.MYSQL


class RevisionPostgreSQLTest(RevisionSQLiteTest):
    BACKEND = databases.POSTGRESQL


class RunningCollectorTest(databases.DatabaseTestCase):
    BACKEND = databases.MYSQL

    def setUp(self) -> None:
        stay_away_from_the_hour(60)
        self.site = self.enterContext(Site(self.BACKEND, projects=1, resources=1))
        self.log = self.site.folder / "log"
        # So that windows are left for the next runs.
        sections = {"DEFAULT": {"log_file": self.log}}
        self.site.configure(sections=sections, periodic_interval=2, max_windows_per_cycle=1)

    def stored(self) -> int:
        return len({entry.start for entry in self.site.usage()})

    def test_downgrade_stops_collection(self) -> None:
        self.site.collector()
        wait_for(lambda: self.stored() == 1)
        migration.downgrade(self.site.engine, "002")
        wait_for(lambda: "The run failed; retrying in the next run: the database is at revision 002" in self.read())
        before = self.stored()
        time.sleep(2.5)
        self.assertEqual(before, self.stored())
        migration.upgrade(self.site.engine)
        wait_for(lambda: set(self.site.last_collected().values()) == {self.site.start + 4 * HOUR})

    def test_newer_revision_stops_collection(self) -> None:
        self.site.collector()
        wait_for(lambda: self.stored() == 1)
        with self.site.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '999'")
        wait_for(lambda: "the database is at revision 999 of a newer release" in self.read())
        self.assertLess(self.stored(), 4)

    def read(self) -> str:
        return self.log.read_text() if self.log.exists() else ""
