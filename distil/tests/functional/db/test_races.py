# SPDX-License-Identifier: Apache-2.0
"""Collectors that store the same window or the same new projects at once, in threads with their own connections."""

import concurrent.futures
import datetime
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import models
from distil.db import store
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
THREADS = 4


def at_once(work: Callable[[int], object]) -> list[object]:
    """Calls ``work`` in several threads at once. Returns what each call returned or raised."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> object:
        barrier.wait(30)
        try:
            return work(number)
        except exceptions.DistilError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


class TestConcurrentStoreSQLite(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)

    def test_only_one_window_commit_succeeds(self) -> None:
        project = model.Project(uuid.uuid4().hex, "n", "d")
        self.store.register_projects([(project, START)])
        for hour in range(5):
            window = model.Window(START + hour * HOUR, START + (hour + 1) * HOUR)

            def commit(number: int, window: model.Window = window) -> None:
                usage = [model.Usage("s", f"r{index}", str(number), Decimal(number)) for index in range(50)]
                resources = [model.Resource(f"r{index}", {"by": number}) for index in range(50)]
                self.store.project(project.id).commit(window, usage, resources, [])

            outcomes = at_once(commit)
            self.assertEqual(1, outcomes.count(None), outcomes)
            self.assertEqual(
                THREADS - 1, sum(isinstance(item, exceptions.WindowAlreadyCommitted) for item in outcomes), outcomes
            )
            entries = models.usage_entry
            query = sa.select(entries.c.unit).where(entries.c.tenant_id == project.id, entries.c.start == window.start)
            with self.engine.connect() as connection:
                units = list(connection.scalars(query))
            self.assertEqual(50, len(units))
            self.assertEqual({str(outcomes.index(None))}, set(units))

    def test_concurrent_registration_stores_projects_once(self) -> None:
        for _ in range(5):
            projects = [model.Project(uuid.uuid4().hex, "n", "d") for _ in range(100)]

            def register(number: int, projects: list[model.Project] = projects) -> None:
                ordered = projects[number * 20 :] + projects[: number * 20]
                self.store.register_projects([(project, START + number * HOUR) for project in ordered])

            self.assertEqual([None] * THREADS, at_once(register))
            found = self.store.last_collected([project.id for project in projects])
            self.assertEqual(100, len(found))
            self.assertEqual(1, len(set(found.values())))


class TestConcurrentStoreMySQL(TestConcurrentStoreSQLite):
    BACKEND = databases.MYSQL


class TestConcurrentStorePostgreSQL(TestConcurrentStoreSQLite):
    BACKEND = databases.POSTGRESQL
