# SPDX-License-Identifier: Apache-2.0
"""A COMMIT fails and leaves the transaction open: its changes are not visible and its locks do not block."""

import datetime
from collections.abc import Callable

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import engine as db_engine
from distil.db import leases
from distil.db import models
from distil.db import store
from distil.db.project_failures import Failure
from distil.tests.support import commit_proxy
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))


class FailedCommitTest(databases.DatabaseTestCase):
    BACKEND = databases.MYSQL

    def setUp(self) -> None:
        url = sa.make_url(self.url)
        self.refuser = commit_proxy.CommitFailingProxy((url.host or "localhost", url.port or 3306))
        self.addCleanup(self.refuser.close)
        proxied = url.set(host="127.0.0.1", port=self.refuser.port).render_as_string(hide_password=False)
        # The pool has one connection, so that every transaction uses the same one.
        self.proxied_engine = db_engine.create_engine(proxied, max_pool_size=1, max_overflow=0)
        self.addCleanup(self.proxied_engine.dispose)
        self.store = store.Store(self.proxied_engine)
        self.store.register_projects([(model.Project("p1", "n", "d"), START)])

    def assert_rolled_back(self, write: Callable[[], object], table: sa.Table) -> None:
        before = self.rows(table)
        self.refuser.armed.set()
        with self.assertRaisesRegex(exceptions.StoreError, "The table is full"):
            write()
        self.assertEqual(before, self.rows(table))
        with self.engine.begin() as other:
            other.execute(sa.text("SET innodb_lock_wait_timeout = 1"))
            other.execute(sa.select(table).with_for_update())
        write()
        self.assertEqual(before + 1, self.rows(table))

    def rows(self, table: sa.Table) -> int:
        with self.proxied_engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def test_window_is_rolled_back(self) -> None:
        stored = self.store.project("p1")
        self.assert_rolled_back(lambda: stored.commit(WINDOW, [], [model.Resource("r", {})], []), models.resources)

    def test_lease_is_rolled_back(self) -> None:
        owner_leases = leases.Leases(self.proxied_engine, "owner")
        self.assert_rolled_back(lambda: owner_leases.acquire("p1"), models.project_locks)

    def test_registration_is_rolled_back(self) -> None:
        self.assert_rolled_back(
            lambda: self.store.register_projects([(model.Project("p2", "n", "d"), START)]), models.tenants
        )

    def test_project_failure_is_rolled_back(self) -> None:
        failed = [Failure("p1", "main", WINDOW, "no")]
        self.assert_rolled_back(lambda: self.store.record_failures(failed, START), models.project_failures)
