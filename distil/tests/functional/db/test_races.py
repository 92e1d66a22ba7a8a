# SPDX-License-Identifier: Apache-2.0
"""Collectors that store the same window or the same new projects at once, in threads with their own connections."""

import concurrent.futures
import dataclasses
import datetime
import threading
import time
import uuid
from collections.abc import Callable
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import models
from distil.db import store
from distil.tests.support import databases
from distil.tests.support.processes import wait_for

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

    def test_deadlocked_update_is_repeated(self) -> None:
        first, second = (model.Project(project_id, "n", "d") for project_id in sorted(uuid.uuid4().hex for _ in "12"))
        self.store.register_projects([(first, START), (second, START)])
        renamed = [dataclasses.replace(project, name="new name") for project in (first, second)]
        change = sa.update(models.tenants).values(info="changed")
        with concurrent.futures.ThreadPoolExecutor() as executor:
            with self.engine.begin() as connection:
                # More rows than the update has, because MariaDB ends the transaction with fewer.
                rows = [{"id": uuid.uuid4().hex, "name": "n"} for _ in range(50)]
                connection.execute(sa.insert(models.tenants), rows)
                connection.execute(change.filter_by(id=second.id))
                updated = executor.submit(self.store.update_projects, renamed)
                wait_for(lambda: self.is_locked(first.id), 10)
                # The update is about to wait for the second row.
                time.sleep(0.1)
                connection.execute(change.filter_by(id=first.id))
            self.assertEqual({}, updated.result(30))
        query = sa.select(models.tenants.c.name).where(models.tenants.c.id.in_([first.id, second.id]))
        with self.engine.connect() as connection:
            self.assertEqual(["new name"] * 2, list(connection.scalars(query)))

    def is_locked(self, project_id: str) -> bool:
        query = sa.select(models.tenants.c.id).filter_by(id=project_id).with_for_update(nowait=True)
        try:
            with self.engine.connect() as connection:
                connection.execute(query)
        except errors.DB_EXCEPTIONS:
            return True
        return False


class TestConcurrentStorePostgreSQL(TestConcurrentStoreMySQL):
    BACKEND = databases.POSTGRESQL
