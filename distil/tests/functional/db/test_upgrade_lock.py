# SPDX-License-Identifier: Apache-2.0
"""Concurrent changes of the tables: one process works, and the others wait for it."""

import pathlib
import subprocess
import tempfile

from distil import exceptions
from distil.db import migration
from distil.db.upgrade_lock import upgrade_lock
from distil.tests.support import databases
from distil.tests.support.processes import kill
from distil.tests.support.processes import script
from distil.tests.support.processes import terminate
from distil.tests.support.processes import wait_for


class UpgradeLockSQLiteTest(databases.DatabaseTestCase):
    MIGRATED = False

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "distil.conf").write_text(f"[database]\nconnection = {self.url}\n")

    def tearDown(self) -> None:
        migration.downgrade(self.engine, "base")

    def upgrade(self, number: int = 0) -> "subprocess.Popen[str]":
        """Start an upgrade, which writes its log to a file."""
        with self.log(number).open("w") as log:
            process = subprocess.Popen(
                [script("distil-db-manage"), "--config-file", str(self.folder / "distil.conf"), "upgrade", "head"],
                stderr=log,
                text=True,
            )
        self.addCleanup(terminate, process)
        return process

    def log(self, number: int) -> pathlib.Path:
        return self.folder / f"{number}.log"

    def test_concurrent_upgrades_all_succeed(self) -> None:
        processes = [self.upgrade(number) for number in range(3)]
        for number, process in enumerate(processes):
            self.assertEqual(0, process.wait(120), self.log(number).read_text())
        migration.check(self.engine)
        upgraded = sum("Running upgrade" in self.log(number).read_text() for number in range(3))
        self.assertEqual(1, upgraded)

    def test_upgrade_waits_for_another(self) -> None:
        with self.engine.connect() as connection, upgrade_lock(connection):
            waiting = self.upgrade()
            wait_for(lambda: "Waiting for another distil-db-manage" in self.log(0).read_text())
        self.assertEqual(0, waiting.wait(60), self.log(0).read_text())
        migration.check(self.engine)

    def test_lock_ends_with_killed_process(self) -> None:
        holder = self.upgrade()
        wait_for(lambda: "Running upgrade" in self.log(0).read_text())
        kill(holder)
        process = self.upgrade(1)
        self.assertEqual(0, process.wait(60), self.log(1).read_text())
        migration.check(self.engine)

    def test_wait_times_out(self) -> None:
        with (
            self.engine.connect() as holder,
            upgrade_lock(holder),
            self.engine.connect() as other,
            self.assertRaisesRegex(exceptions.StoreError, "another distil-db-manage has been changing the tables"),
            upgrade_lock(other, timeout=0),
        ):
            self.fail("both have the lock")


class UpgradeLockMySQLTest(UpgradeLockSQLiteTest):
    BACKEND = databases.MYSQL


class UpgradeLockPostgreSQLTest(UpgradeLockSQLiteTest):
    BACKEND = databases.POSTGRESQL
