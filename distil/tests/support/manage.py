# SPDX-License-Identifier: Apache-2.0
"""``distil-manage`` on a database."""

import json
import pathlib
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support.processes import script

PROGRAM = script("distil-manage")


def run(config: pathlib.Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return commands.run("distil-manage", "--config-file", str(config), *arguments, environment=environment)


class ManageTestCase(databases.DatabaseTestCase):
    """Provides a database for the class, and for each test a configuration file that sets nothing but its URL."""

    def setUp(self) -> None:
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.config = directory / "distil.conf"
        self.config.write_text(f"[database]\nconnection = {self.url}\n")
        self.addCleanup(self.empty, *reversed(models.metadata.sorted_tables))

    def insert(self, table: sa.Table, *rows: Mapping[str, object]) -> None:
        """Insert rows, which are deleted after the test."""
        if rows:
            with self.engine.begin() as connection:
                connection.execute(sa.insert(table), list(rows))

    def empty(self, *tables: sa.Table) -> None:
        with self.engine.begin() as connection:
            for table in tables:
                connection.execute(sa.delete(table))

    def rows(self, *arguments: str, status: int = 0) -> Any:
        """Return the rows that a command prints."""
        return json.loads(self.output(*arguments, "--format", "json", status=status))

    def output(self, *arguments: str, status: int = 0) -> str:
        """Return the standard output of a command, which must print no warning or error."""
        result = run(self.config, "--quiet", *arguments)
        self.assertEqual(status, result.returncode, result.stderr + result.stdout)
        self.assertEqual("", result.stderr)
        return result.stdout

    def notes(self, *arguments: str) -> str:
        """Return what a command that succeeds says on standard error."""
        result = run(self.config, *arguments)
        self.assertEqual(0, result.returncode, result.stderr)
        return result.stderr

    def usage_error(self, *arguments: str) -> str:
        """Return the message of a command line that is refused; the usage precedes it."""
        result = run(self.config, *arguments)
        self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)
        return result.stderr.splitlines()[-1].partition(": error: ")[2]

    def error(self, *arguments: str, status: int = 1) -> str:
        """Return the message of a command that fails, which must print a single line."""
        result = run(self.config, *arguments)
        self.assertEqual((status, ""), (result.returncode, result.stdout), result.stderr)
        (line,) = result.stderr.splitlines()
        self.assertTrue(line.startswith("distil-manage: "), line)
        return line.removeprefix("distil-manage: ")
