# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL behind PgBouncer in transaction mode, where each transaction may have another connection."""

import unittest

import sqlalchemy as sa

from distil import exceptions
from distil.db import engine as db_engine
from distil.db import models
from distil.db.upgrade_lock import upgrade_lock
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support.pgbouncer import pgbouncer
from distil.tests.support.site import Site


class PgBouncerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(databases.POSTGRESQL, migrated=False, projects=12))
        self.site.url = self.enterContext(pgbouncer(self.site.url))
        self.site.configure(concurrency=6)

    def assert_succeeds(self, name: str, *arguments: str) -> None:
        done = commands.run(name, "--config-file", str(self.site.config), *arguments)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_upgrade_lock_excludes_and_ends(self) -> None:
        pooled = db_engine.create_engine(self.site.url)
        self.addCleanup(pooled.dispose)
        for _ in range(3):
            with (
                pooled.connect() as holder,
                upgrade_lock(holder),
                self.site.engine.connect() as other,
                self.assertRaises(exceptions.StoreError),
                upgrade_lock(other, timeout=0),
            ):
                self.fail("both have the lock")
            with self.site.engine.connect() as holder, upgrade_lock(holder, timeout=0):
                pass

    def test_concurrent_projects_are_collected(self) -> None:
        self.assert_succeeds("distil-db-manage", "upgrade", "head")
        self.assert_succeeds("distil-db-manage", "check")
        output = self.site.collect()
        self.assertNotIn("prepared statement", output)
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))
        self.assertEqual([], self.site.rows(sa.select(models.project_locks)))
        self.assert_succeeds("distil-status", "upgrade", "check")
        self.assert_succeeds("distil-manage", "project", "list")
