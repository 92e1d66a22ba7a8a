# SPDX-License-Identifier: Apache-2.0
"""Projects whose last_collected is no time, which must not fail what is asked about others."""

import datetime
import uuid
from collections.abc import Iterator

import sqlalchemy as sa

from distil import model
from distil.db import collected
from distil.db import project_start
from distil.db import projects
from distil.db import retention
from distil.db import store
from distil.db.tracked_projects import TrackedProjects
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)

# By backend, what an operator may have stored.
INVALID = {
    databases.SQLITE: ("0000-00-00 00:00:00", "", "soon", 7),
    databases.MYSQL: ("0000-00-00 00:00:00", "2026-00-00 00:00:00"),
    databases.POSTGRESQL: ("infinity", "4713-01-01 BC"),
}


class InvalidLastCollectedSQLiteTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)

    def new_project(self) -> model.Project:
        project = model.Project(uuid.uuid4().hex, "n", "d")
        self.store.register_projects([(project, START)])
        return project

    def invalid_projects(self) -> Iterator[model.Project]:
        """Provide a project for each invalid value."""
        for value in INVALID[self.BACKEND]:
            with self.subTest(value):
                odd = self.new_project()
                with self.engine.begin() as connection:
                    if self.BACKEND == databases.MYSQL:
                        connection.exec_driver_sql("SET SESSION sql_mode = ''")
                    update = sa.text("UPDATE tenants SET last_collected = :value WHERE id = :id")
                    connection.execute(update, {"value": value, "id": odd.id})
                self.engine.dispose()
                yield odd

    def test_other_projects_are_not_affected(self) -> None:
        other = self.new_project()
        for odd in self.invalid_projects():
            self.assertEqual({other.id: START}, self.store.last_collected([odd.id, other.id]))
            self.store.register_projects([(odd, START + HOUR)])
            self.store.update_projects([odd, other])
            self.assertEqual({other.id: START}, self.store.last_collected([odd.id, other.id]))

    def test_every_reader_takes_it_as_missing(self) -> None:
        tracked = TrackedProjects(self.engine)
        for odd in self.invalid_projects():
            self.assertIsNone(projects.list_statuses(self.engine)[odd.id].last_collected)
            self.assertIsNone(collected.read(self.engine, [odd.id]).newest)
            tracked.track([odd.id], "default")
            self.assertIsNone(tracked.load()[odd.id].last_collected)
            self.assertEqual((0, 0), tuple(retention.prune_usage(self.engine, START, [odd.id])))
            self.assertIsNone(project_start.set_start(self.engine, odd.id, START, "operator", dry_run=True))


class InvalidLastCollectedMySQLTest(InvalidLastCollectedSQLiteTest):
    BACKEND = databases.MYSQL


class InvalidLastCollectedPostgreSQLTest(InvalidLastCollectedSQLiteTest):
    BACKEND = databases.POSTGRESQL
