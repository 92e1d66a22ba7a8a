# SPDX-License-Identifier: Apache-2.0
"""No password and no token in anything that a process says, whatever happens and however much it is to log."""

import base64
import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any
from unittest import mock

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.secrets import found
from distil.tests.support.secrets import mariadb_user
from distil.tests.support.secrets import secret
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

TALKATIVE = (
    "alembic asyncio ceilometerclient concurrent distil futurist keystoneauth keystoneauth1 keystoneclient openstack "
    "oslo oslo_concurrency oslo_config oslo_db oslo_log oslo_messaging oslo_service prometheus_client psycopg pymysql "
    "requests sqlalchemy stevedore tenacity tooz urllib3"
)
EVERYTHING = f"""
[DEFAULT]
debug = true
default_log_levels = {",".join(f"{name}=DEBUG" for name in TALKATIVE.split())}
[database]
connection_debug = 100
connection_trace = true
max_retries = 1
retry_interval = 1
[keystone_authtoken]
collect_timing = true
"""
UNUSABLE = {
    "no port": "mysql+pymysql://distil:{}@127.0.0.1:port/distil",
    "no driver": "nosuch://distil:{}@127.0.0.1/distil",
    "no scheme": "distil:{}@127.0.0.1/distil",
    "a space": "mysql+pymysql: //distil:{}@127.0.0.1/distil",
    "nobody there": "mysql+pymysql://distil:{}@127.0.0.1:1/distil",
    "nobody there, PostgreSQL": "postgresql://distil:{}@127.0.0.1:1/distil",
    "no host": "mysql+pymysql://distil:{}@nowhere.invalid/distil",
    "no host, PostgreSQL": "postgresql://distil:{}@nowhere.invalid/distil",
    "SQLite with a user": "sqlite://distil:{}@/distil.sqlite",
}
OPTIONS = {"password", "connection", "auth_url"}


class NoSecretsTest(unittest.TestCase):
    backend = databases.SQLITE

    def setUp(self) -> None:
        self.site = self.enterContext(Site(self.backend, projects=1, resources=1))
        self.password = secret("/p@ss:é+%41")
        object.__setattr__(self.site.cloud.credentials, "password", self.password)
        self.hidden = {self.password}
        self.write()

    def write(self, collector: dict[str, Any] | None = None, **options: str) -> None:
        """Write the configuration, which logs everything; ``$`` in a password or a URL is written as it must be.

        :param options: other values of OPTIONS.
        """
        self.site.configure(**(collector or {}))
        self.edit("password", options.get("password", self.password).replace("$", "$$"))
        if "connection" in options:
            self.edit("connection", options["connection"].replace("$", "$$"))
        if "auth_url" in options:
            self.edit("auth_url", options["auth_url"])
        with self.site.config.open("a") as file:
            file.write(EVERYTHING)

    def edit(self, option: str, value: str) -> None:
        """Write an option's value as it is."""
        text = self.site.config.read_text()
        self.site.config.write_text(re.sub(rf"(?m)^{option} = .*$", lambda _: f"{option} = {value}", text))

    def assert_none(self, said: str) -> None:
        tokens = self.site.cloud.tokens.secrets()
        self.assertEqual([], found(said, self.hidden | tokens))
        self.assertGreater(len(said), 20, "it said nothing")

    def run_program(self, program: str, *arguments: str, status: int) -> str:
        done = commands.run(program, "--config-file", str(self.site.config), *arguments)
        said = done.stdout + done.stderr
        self.assertEqual(status, done.returncode, said)
        self.assert_none(said)
        return said

    def collect(self, status: int) -> str:
        end = (self.site.start + HOUR).isoformat()
        return self.run_program("distil-collector", "--collect-end-time", end, status=status)

    def manage(self, command: str, status: int) -> str:
        return self.run_program("distil-db-manage", command, status=status)


def served(port: int) -> str:
    """The exporter's pages; nothing before it listens."""
    pages = ""
    for path in ("/", "/health"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                pages += response.read().decode()
        except urllib.error.HTTPError as error:  # /health, of an unhealthy process
            pages += error.read().decode()
        except urllib.error.URLError:
            return "No run has ended"
    return pages


class CollectorRunSecretsTest(NoSecretsTest):
    """Without a password in the database's URL."""

    def test_successful_run_logs_no_secret(self) -> None:
        said = self.collect(0)
        self.assertTrue(self.site.cloud.tokens.secrets())
        for words in (
            "REQ: curl",
            "RESP BODY",
            "X-Auth-Token: {SHA256}",
            "urllib3.connectionpool",
            "sqlalchemy.engine",
        ):
            self.assertIn(words, said, "the test has lost its subject")

    def test_wrong_password_is_not_logged(self) -> None:
        wrong = secret("/@ß")
        self.hidden.add(wrong)
        self.write(password=wrong)
        self.assertIn("401", self.collect(1))

    def test_failing_services_log_no_secret(self) -> None:
        for service, fault in (
            ("identity", {"kind": "status", "status": 500}),
            ("identity", {"kind": "status", "status": 401}),
            ("identity", {"kind": "status", "status": 401, "path": "/auth/tokens"}),
            ("identity", {"kind": "status", "status": 401, "path": "/projects"}),
            ("identity", {"kind": "html"}),
            ("identity", {"kind": "reset", "path": "/projects"}),
            ("metering", {"kind": "status", "status": 401}),
            ("metering", {"kind": "not_a_list"}),
            ("block-storage", {"kind": "status", "status": 401}),
        ):
            with self.subTest(service, **fault):
                self.site.cloud.add_fault(service, **fault)
                self.collect(1)
                self.site.cloud.faults.clear()

    def test_quoted_requests_reveal_no_secret(self) -> None:
        for service, path, status in (
            *(("identity", "/auth/tokens", status) for status in (401, 500)),
            *(("identity", "/projects", status) for status in (200, 500)),
            *(("metering", "", status) for status in (200, 400, 401, 403, 500)),
            *(("block-storage", "", status) for status in (200, 500)),
        ):
            with self.subTest(service, path=path, status=status):
                # If telemetry failed for all projects, each run would wait for it.
                project_id = self.site.cloud.projects.enabled_ids[0] if service == "metering" else None
                self.site.cloud.add_fault(service, "echo", path=path, status=status, project_id=project_id)
                said = self.collect(1)
                # Requests for a token and their responses are logged by no library.
                self.assertEqual(path != "/auth/tokens", "x-auth-token: ***" in said)
                self.site.cloud.faults.clear()

    def test_quoted_token_is_not_stored_or_served(self) -> None:
        port = free_port()
        # An outage is waited for by a part of the interval.
        interval = {"periodic_interval": 60}
        self.write({"enable_exporter": True, "exporter_host": "127.0.0.1", "exporter_port": port, **interval})
        self.site.cloud.add_fault("metering", "echo")
        self.site.collector("--log-file", str(self.site.folder / "collector.log"))
        # The failures are stored before the run has ended, which the page tells.
        wait_for(lambda: "No run has ended" not in served(port))
        pages = served(port)
        stored = "".join(reason for (reason,) in self.site.rows(sa.select(models.project_failures.c.reason)))
        for said in (pages, stored):
            self.assertIn("x-auth-token: ***", said)
            self.assert_none(said)

    def test_mapping_error_logs_no_secret(self) -> None:
        mappings = self.site.folder / "mappings.yml"
        mappings.write_text("- {metr: a}\n")
        self.write({"meter_mappings_file": mappings})
        self.assertIn("unknown key 'metr'", self.collect(1))

    def test_reload_logs_no_secret(self) -> None:
        mappings = self.site.folder / "mappings.yml"
        mappings.write_bytes((ETC / "meter_mappings.yml").read_bytes())
        self.write({"periodic_interval": 1, "meter_mappings_file": mappings})
        log = self.site.folder / "collector.log"
        collector = self.site.collector("--log-file", str(log))
        self._wait_for(log, "Run of collector", 1)
        collector.send_signal(signal.SIGHUP)
        self._wait_for(log, "Run of collector", 4)
        mappings.write_text("- {metr: a}\n")
        collector.send_signal(signal.SIGHUP)
        self._wait_for(log, "unknown key 'metr'", 1)
        plain = secret("")
        self.hidden.add(plain)
        with self.site.config.open("a") as file:
            file.write(f"password {plain}\n")
        collector.send_signal(signal.SIGHUP)
        self._wait_for(log, "cannot be parsed", 1)
        collector.send_signal(signal.SIGTERM)
        said, _ = collector.communicate(timeout=60)
        logged = log.read_text()
        self.assertIn("keystone_authtoken.password", logged, "the test has lost its subject")
        self.assert_none(said + logged)

    def test_unreachable_coordination_logs_no_secret(self) -> None:
        own = secret()
        self.hidden.add(own)
        self.write({"periodic_interval": 1})
        with self.site.config.open("a") as file:
            file.write(f"[coordination]\nbackend_url = redis://:{urllib.parse.quote_plus(own)}@127.0.0.1:1\n")
        log = self.site.folder / "collector.log"
        collector = self.site.collector("--log-file", str(log))
        self._wait_for(log, "Run of collector", 1)
        collector.send_signal(signal.SIGTERM)
        said, _ = collector.communicate(timeout=60)
        self.assertIn("coordination.backend_url", log.read_text(), "the test has lost its subject")
        self.assert_none(said + log.read_text())

    def test_invalid_coordination_url_logs_no_secret(self) -> None:
        own = secret("")
        self.hidden.add(own)
        for url in (f"nosuch://:{own}@127.0.0.1:1", f"redis://:{own}@127.0.0.1:port", f"redis:{own}", own, f"a$x{own}"):
            with self.subTest(url):
                self.write()
                with self.site.config.open("a") as file:
                    file.write(f"[coordination]\nbackend_url = {url}\n")
                self._start()

    def _start(self) -> None:
        """Start and, if it starts, be stopped."""
        collector = self.site.collector()
        assert collector.stdout
        select.select([collector.stdout], [], [], 60)
        with contextlib.suppress(subprocess.TimeoutExpired):
            collector.wait(5)
        collector.terminate()
        said, _ = collector.communicate(timeout=60)
        self.assert_none(said)

    def _wait_for(self, log: pathlib.Path, words: str, times: int) -> None:
        wait_for(lambda: log.exists() and log.read_text().count(words) >= times)


class ConfigurationSecretsTest(NoSecretsTest):
    """Files that are wrong at a line that holds a secret."""

    def setUp(self) -> None:
        super().setUp()
        self.plain = secret("")
        self.hidden.add(self.plain)

    def test_missing_assignment_sign_hides_value(self) -> None:
        for option in OPTIONS:
            self.write()
            text = self.site.config.read_text()
            self.site.config.write_text(re.sub(rf"(?m)^{option} = .*$", f"{option} {self.plain}", text))
            for said in (self.collect(1), self.manage("current", 1)):
                self.assertRegex(said, rf"{self.site.config}:\d+, No ':' or '=' found in assignment\n")

    def test_unescaped_dollar_hides_value(self) -> None:
        for rest in ("$x", "$!", "${x}", "a$b."):
            with self.subTest(rest):
                self.write()
                self.edit("password", f"{self.plain}{rest}{self.plain}")
                self._start()
                self.write()
                self.edit("connection", f"mysql://distil:{self.plain}{rest}{self.plain}@127.0.0.1:1/distil")
                self.collect(1)
                self.manage("current", 1)

    def test_unescaped_dollar_names_option(self) -> None:
        self.edit("password", f"a$x{self.plain}")
        self.assertIn("[keystone_authtoken] password: contains a $", self.collect(1))
        self.write()
        self.edit("connection", f"a$x{self.plain}")
        self.assertIn("[database] connection: contains a $", self.collect(1))
        self.assertIn("[database] connection: contains a $", self.manage("current", 1))

    def test_password_in_auth_url_is_rejected(self) -> None:
        url = self.site.cloud.auth_url.replace("://", f"://distil:{self.plain}@")
        self.write(auth_url=url)
        self.assertIn("auth_url must not contain a user name or password", self.collect(1))

    def test_proxy_password_is_not_logged(self) -> None:
        proxy = {"http_proxy": f"http://distil:{self.plain}@127.0.0.1:1", "no_proxy": ""}
        with mock.patch.dict(os.environ, proxy):
            self.assertIn("Unable to connect to proxy", self.collect(1))

    def test_unusable_database_url_hides_password(self) -> None:
        for case, url in UNUSABLE.items():
            with self.subTest(case):
                self._refuse(url.format(self.plain))
        hard = secret()
        self.hidden.add(hard)
        self._refuse(UNUSABLE["nobody there"].format(urllib.parse.quote_plus(hard)))
        self._refuse(UNUSABLE["nobody there"].format(hard))

    def _refuse(self, url: str) -> None:
        self.write(connection=url)
        self.collect(1)
        self.manage("current", 1)

    def _start(self) -> None:
        """Start, whether or not what is configured is a password."""
        end = (self.site.start + HOUR).isoformat()
        collector = self.site.collector("--collect-end-time", end)
        said, _ = collector.communicate(timeout=120)
        self.assertEqual(1, collector.returncode, said)
        self.assert_none(said)


class MariaDbSecretsTest(NoSecretsTest):
    """With a password in the database's URL."""

    backend = databases.MYSQL

    def setUp(self) -> None:
        super().setUp()
        own = secret()
        self.hidden.add(own)
        self.url = self.enterContext(mariadb_user(self.site.url, own))
        self.write(connection=self.url)

    def test_successful_run_hides_password(self) -> None:
        self.assertIn("sqlalchemy.engine", self.collect(0))

    def test_migrations_hide_password(self) -> None:
        for command in ("current", "check", "upgrade"):
            self.manage(command, 0)

    def test_wrong_password_is_not_logged(self) -> None:
        wrong = secret()
        self.hidden.add(wrong)
        self.write(connection=sa.make_url(self.url).set(password=wrong).render_as_string(hide_password=False))
        self.assertIn("Access denied", self.collect(1))
        self.assertIn("Access denied", self.manage("current", 1))

    def test_missing_database_hides_password(self) -> None:
        self.write(connection=sa.make_url(self.url).set(database="nowhere").render_as_string(hide_password=False))
        self.collect(1)
        self.manage("current", 1)

    def test_missing_table_hides_password(self) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE usage_entry"))
        self.assertIn("usage_entry", self.collect(1))
        self.manage("check", 1)


class SecretSearchTest(unittest.TestCase):
    def test_secret_is_found_in_every_encoding(self) -> None:
        hidden = secret()
        guises: dict[str, Callable[[str], str]] = {
            "plain": str,
            "of a URL": lambda text: urllib.parse.quote(text, safe=""),
            "of a form": urllib.parse.quote_plus,
            "of Python": repr,
            "of SQLAlchemy": lambda text: sa.URL.create("x", "user", text).render_as_string(hide_password=False),
            "hexadecimal": lambda text: text.encode().hex(),
        }
        for before in ("", "u:", "us:", "user:"):
            guises[f"base64 after {before!r}"] = lambda text, before=before: base64.b64encode(  # type: ignore[misc]
                f"{before}{text}\n".encode()
            ).decode()
        for name, guise in guises.items():
            self.assertEqual([f"x {guise(hidden)} x"], found(f"a\nx {guise(hidden)} x\nb", [hidden]), name)
            self.assertEqual([], found(f"x {guise(secret())} x", [hidden]), name)
