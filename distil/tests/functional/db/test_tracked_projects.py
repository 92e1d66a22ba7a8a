# SPDX-License-Identifier: Apache-2.0
"""Tracked projects, on every backend."""

import datetime

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.db import store
from distil.db.tracked_projects import TrackedProject
from distil.db.tracked_projects import TrackedProjects
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class TestTrackedProjectsSQLite(databases.DatabaseTestCase):
    def setUp(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(models.tenants))
        self.store = store.Store(self.engine)
        self.tracked = TrackedProjects(self.engine)
        self.store.register_projects([(model.Project(name, f"name of {name}", "d"), START) for name in ("p", "P", "q")])

    def row(self, project_id: str = "p") -> TrackedProject:
        return self.tracked.load()[project_id]

    def test_project_in_scope_is_tracked(self) -> None:
        self.assertEqual({}, self.tracked.load())
        self.tracked.track(["p", "unknown"], "north")
        expected = TrackedProject("p", "name of p", "d", "north", None, None, START)
        self.assertEqual({"p": expected}, self.tracked.load())

    def test_released_project_is_not_tracked(self) -> None:
        self.tracked.track(["p", "q"], "north")
        self.tracked.release(["p"])
        self.assertEqual(["q"], list(self.tracked.load()))

    def test_first_departure_is_kept(self) -> None:
        self.tracked.track(["p", "q"], "north")
        self.assertEqual(2, self.tracked.depart(["p", "q", "P"], START, None))
        self.assertEqual(0, self.tracked.depart(["p", "q"], START + HOUR, None))
        self.assertEqual((START, None), (self.row().departed, self.row().collect_until))
        self.assertEqual(1, self.tracked.depart(["p"], START + HOUR, START + 4 * HOUR))
        self.assertEqual(0, self.tracked.depart(["p"], START + HOUR, START + 9 * HOUR))
        self.assertEqual((START, START + 4 * HOUR), (self.row().departed, self.row().collect_until))

    def test_returned_project_has_not_departed(self) -> None:
        self.tracked.track(["p"], "north")
        self.tracked.depart(["p"], START, START + HOUR)
        self.tracked.track(["p"], "south")
        self.assertEqual(("south", None, None), (self.row().in_scope_of, self.row().departed, self.row().collect_until))

    def test_finished_project_is_not_tracked(self) -> None:
        self.tracked.track(["p", "q"], "north")
        self.tracked.depart(["p"], START, START + HOUR)
        self.assertEqual(1, self.tracked.finish(["p", "q"]))
        self.assertEqual(0, self.tracked.finish(["p"]))
        self.assertEqual(["q"], list(self.tracked.load()))

    def test_commit_extends_only_departed_projects(self) -> None:
        self.tracked.track(["p", "q"], "north")
        self.tracked.depart(["p"], START, START + 3 * HOUR)
        for hour, until in ((0, START + 2 * HOUR), (1, None), (2, START + 5 * HOUR)):
            window = model.Window(START + hour * HOUR, START + (hour + 1) * HOUR)
            for project_id in ("p", "q"):
                self.store.project(project_id).commit(window, [], [], [], until)
            expected = START + 5 * HOUR if hour == 2 else START + 3 * HOUR
            self.assertEqual((expected, None), (self.row().collect_until, self.row("q").collect_until))

    def test_tracks_thousands_of_projects(self) -> None:
        ids = [f"t{number}" for number in range(1203)]
        self.store.register_projects([(model.Project(project_id, "n", "d"), START) for project_id in ids])
        self.tracked.track(ids, "c" * 300)
        self.assertEqual(set(ids), set(self.tracked.load()))
        self.assertEqual(1203, self.tracked.depart(ids, START, START))
        self.assertEqual(1203, self.tracked.finish(ids))


class TestTrackedProjectsMySQL(TestTrackedProjectsSQLite):
    BACKEND = databases.MYSQL


class TestTrackedProjectsPostgreSQL(TestTrackedProjectsSQLite):
    BACKEND = databases.POSTGRESQL
