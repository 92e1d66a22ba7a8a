# SPDX-License-Identifier: Apache-2.0
"""``distil-db-manage`` as a process."""

import pathlib
import subprocess
import tempfile

from distil.db import migration
from distil.db import models
from distil.db import revision
from distil.tests.support import commands
from distil.tests.support import databases

HEAD = migration.history()[-1][0]


class DbManageTestCase(databases.DatabaseTestCase):
    MIGRATED = False

    def setUp(self) -> None:
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.configuration = directory / "distil.conf"
        self.configure(self.url)

    def configure(self, url: str) -> None:
        # As existing sites have it, with an unknown option.
        lines = ["[DEFAULT]", "unheard_of = 1", "[database]", f"connection = {url}", "backend = sqlalchemy"]
        self.configuration.write_text("\n".join([*lines, "max_retries = 1", "retry_interval = 0", ""]))

    def run_it(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return commands.run("distil-db-manage", "--config-file", str(self.configuration), *arguments)

    def assert_succeeds(self, *arguments: str) -> str:
        result = self.run_it(*arguments)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        return result.stdout.strip()

    def assert_fails(self, *arguments: str) -> str:
        result = self.run_it(*arguments)
        self.assertEqual((1, ""), (result.returncode, result.stdout), result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertNotIn("sekret", result.stderr)
        last = result.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("distil-db-manage: "), result.stderr)
        return last


class TestDbManageSQLite(DbManageTestCase):
    def test_upgrades_and_downgrades(self) -> None:
        self.assert_succeeds("upgrade", "head")
        self.assert_succeeds("check")
        self.assert_succeeds("downgrade", "002")
        self.assertEqual("002", self.assert_succeeds("current"))


class TestDbManageMySQL(TestDbManageSQLite):
    BACKEND = databases.MYSQL


class TestDbManagePostgreSQL(TestDbManageSQLite):
    BACKEND = databases.POSTGRESQL


class DbManageCommandTest(DbManageTestCase):
    def test_empty_database_fails_check(self) -> None:
        self.assertEqual("no revision", self.assert_succeeds("current"))
        self.assertIn("run distil-db-manage upgrade head", self.assert_fails("check"))

    def test_missing_file_is_not_created(self) -> None:
        path = self.configuration.parent / "distil.sqlite"
        self.configure(f"sqlite:///{path}")
        for command in (("current",), ("check",), ("downgrade", "001")):
            self.assertIn(f"{path} does not exist; distil-db-manage upgrade head creates", self.assert_fails(*command))
        manage = commands.run("distil-manage", "--config-file", str(self.configuration), "lease", "list")
        self.assertEqual((1, ""), (manage.returncode, manage.stdout))
        self.assertFalse(path.exists())
        self.assert_succeeds("upgrade")
        self.assertEqual(HEAD, self.assert_succeeds("current"))

    def test_file_of_another_kind_is_told(self) -> None:
        path = self.configuration.parent / "distil.sqlite"
        path.write_text("no database" * 100)
        self.configure(f"sqlite:///{path}")
        for command in (("upgrade",), ("downgrade", "001"), ("stamp", "001"), ("current",), ("check",)):
            self.assertRegex(self.assert_fails(*command), "^distil-db-manage: could not .*: file is not a database$")

    def test_upgrade_defaults_to_head(self) -> None:
        self.assert_succeeds("upgrade")
        self.assert_succeeds("upgrade")
        self.assertEqual(HEAD, revision.current(self.engine))
        models.rejected_samples.drop(self.engine)
        self.addCleanup(migration.downgrade, self.engine, "base")
        self.assertIn("rejected_samples", self.assert_fails("check"))

    def test_stamp_records_revision(self) -> None:
        self.addCleanup(migration.stamp, self.engine, "base")
        self.assert_succeeds("stamp", "003")
        self.assertEqual("003", revision.current(self.engine))

    def test_history_starts_with_001(self) -> None:
        lines = self.assert_succeeds("history").splitlines()
        self.assertTrue(lines[0].startswith("001 "))
        self.assertTrue(lines[-1].startswith(HEAD))

    def test_unknown_revision_exits_with_1(self) -> None:
        for command in ("upgrade", "downgrade", "stamp"):
            message = f"revision '99' does not exist, nothing was changed; use one of 001 to {HEAD}, base or head"
            self.assertEqual(f"distil-db-manage: {message}", self.assert_fails(command, "99"))

    def test_missing_connection_option_exits_with_1(self) -> None:
        self.configuration.write_text("")
        self.assertIn("[database] connection is not set", self.assert_fails("upgrade"))

    def test_successful_check_prints_one_line(self) -> None:
        self.addCleanup(migration.downgrade, self.engine, "base")
        self.assert_succeeds("upgrade")
        result = self.run_it("check")
        self.assertEqual((0, "the tables match the newest revision\n", ""), tuple(vars(result).values())[1:])

    def test_reports_every_invalid_value(self) -> None:
        self.configuration.write_text("[DEFAULT]\ndebug = perhaps\n[database]\nmax_retries = often\npool_timeout = x\n")
        for option in ("[DEFAULT] debug = perhaps", "[database] max_retries = often", "[database] pool_timeout = x"):
            self.assertIn(f"distil-db-manage: {self.configuration}: {option}: must be", self.run_it("current").stderr)

    def test_missing_configuration_file_exits_with_1(self) -> None:
        self.configuration.unlink()
        self.assertIn(str(self.configuration), self.assert_fails("upgrade"))

    def test_failed_connection_exits_with_1(self) -> None:
        for url in (
            "mysql://u:sekret@127.0.0.1:1/d",
            "postgresql://u:sekret@127.0.0.1:1/d",
            "mysql://u:sekret@127.0.0.1:port/d",
            "sqlite:////nowhere/at/all",
        ):
            with self.subTest(url=url):
                self.configure(url)
                self.assert_fails("upgrade")
