# SPDX-License-Identifier: Apache-2.0
"""Parameters of [database] connection that the driver cannot use, in every command."""

import os
import pathlib
import subprocess
import unittest
from collections.abc import Sequence

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import requirements
from distil.tests.support.processes import script
from distil.tests.support.site import ETC
from distil.tests.support.site import Site

COMMANDS = (
    ("distil-db-manage", "upgrade", "head"),
    ("distil-db-manage", "check"),
    ("distil-manage", "project", "list"),
    ("distil-manage", "config", "check", "--live"),
    ("distil-status", "upgrade", "check"),
    ("distil-collector", "--collect-end-time", "2026-01-01"),
)

# By backend, parameters and what the message says about them. Every command is tried with the first.
PARAMETERS = {
    databases.MYSQL: {
        "foo=1": "foo=1",
        "charset=utf8mb5": "charset=utf8mb5",
        "ssl_ca=/none": "ssl_ca=/none",
        "connect_timeout=soon": "connect_timeout=soon",
        "autocommit=1": "autocommit",
        "init_command=nonsense": "init_command=nonsense",
        "prepare_threshold=0": "prepare_threshold=0",
        "password=sekret&ssl=sekret": "password=***",
    },
    databases.POSTGRESQL: {
        "foo=1": "foo",
        "prepare_threshold=x": "prepare_threshold",
        "connect_timeout=soon": "connect_timeout=soon",
        "sslmode=wrong": "wrong",
        "sslrootcert=/none&sslmode=verify-full": "SSL",
        "autocommit=true": "autocommit",
        "options=-c%20foo=1": "foo",
        "host=a&port=x": "port",
    },
    databases.SQLITE: {"timeout=soon": "timeout=soon", "foo=1": "foo"},
}


class DatabaseParametersTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=1, resources=1, migrated=False))
        self.hidden_library: str | None = None

    def configure(self, url: str) -> None:
        self.site.config.write_text(f"[database]\nconnection = {url}\n" + self._rest())

    def _rest(self) -> str:
        files = f"meter_mappings_file = {ETC}/meter_mappings.yml\ntransformer_file = {ETC}/transformer.yml\n"
        options = "".join(f"{name} = {value}\n" for name, value in self.site.cloud.auth().items())
        return f"[collector]\n{files}[keystone_authtoken]\nauth_type = password\n{options}"

    def run_command(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        if self.hidden_library is None:
            return commands.run(name, *arguments)
        (self.site.folder / f"{self.hidden_library}.py").write_text("raise ImportError\n")
        path = os.pathsep.join(filter(None, (str(self.site.folder), os.environ.get("PYTHONPATH"))))
        command = (script(name), *arguments)
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def assert_told(self, problem: str, *tried: Sequence[str]) -> None:
        for name, *arguments in tried:
            with self.subTest(problem=problem, command=(name, *arguments)):
                done = self.run_command(name, "--config-file", str(self.site.config), *arguments)
                output = done.stdout + done.stderr
                self.assertNotEqual(0, done.returncode)
                self.assertNotIn("Traceback", output)
                self.assertNotIn("sekret", output)
                # Without the borders and the line breaks of a table.
                text = " ".join(output.replace("|", " ").split())
                self.assertIn("[database] connection", text)
                self.assertIn(problem, text)

    def test_wrong_parameters_are_told(self) -> None:
        for backend, parameters in PARAMETERS.items():
            url = self.enterContext(databases.database(backend, migrated=False))
            tried: Sequence[Sequence[str]] = COMMANDS
            for text, problem in parameters.items():
                self.configure(f"{url}?{text}")
                self.assert_told(problem, *tried)
                tried = COMMANDS[:1]

    def test_missing_database_is_told(self) -> None:
        url = sa.make_url(self.enterContext(databases.database(databases.MYSQL, migrated=False)))
        self.configure(url.set(database="").render_as_string(hide_password=False))
        self.assert_told("names no database", ("distil-db-manage", "current"), *COMMANDS)

    def test_collector_refuses_to_start(self) -> None:
        for url in (
            "mysql://u:sekret@h/d?foo=1",
            "mysql://u:sekret@h",
            "postgresql://u:sekret@h/d?foo=1",
            "sqlite:///f?foo=1",
        ):
            self.configure(url)
            output = self.site.refused()
            self.assertEqual(1, output.count("[database] connection"), output)
            self.assertNotIn("sekret", output)

    def test_missing_ed25519_library_is_told(self) -> None:
        self.hidden_library = "nacl"
        url = sa.make_url(self.enterContext(databases.database(databases.MYSQL, migrated=False)))
        engine = db_engine.create_engine(url.render_as_string(hide_password=False))
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            directory = connection.scalar(sa.text("SELECT @@plugin_dir"))
            if not pathlib.Path(directory, "auth_ed25519.so").exists():
                requirements.unmet("the MariaDB server has no plugin auth_ed25519")
            connection.exec_driver_sql("INSTALL SONAME 'auth_ed25519'")
            self.addCleanup(self._execute, engine, "UNINSTALL SONAME 'auth_ed25519'")
            name = f"u{url.database}"
            connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED VIA ed25519 USING PASSWORD('sekret')")
            self.addCleanup(self._execute, engine, f"DROP USER {name}")
        self.configure(url.set(username=name, password="sekret").render_as_string(hide_password=False))
        self.assert_told("'pynacl' package is required", *COMMANDS)

    def _execute(self, engine: sa.Engine, statement: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
