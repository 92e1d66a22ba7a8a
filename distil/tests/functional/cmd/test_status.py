# SPDX-License-Identifier: Apache-2.0
"""``distil-status upgrade check`` as a process: its rows and its exit status."""

import datetime
import importlib.metadata
import json
import os
import pathlib
import subprocess
import unittest

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.db import models
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import predecessor
from distil.tests.support.processes import script
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

PROGRAM = script("distil-status")
SUCCESS, WARNING, FAILURE = range(3)
UNREADABLE = 255


def run(config: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run("distil-status", "--config-file", str(config), "upgrade", "check", *arguments)


class UpgradeCheckCase(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=1, resources=1))

    def assert_rows(self, **expected: tuple[int, str]) -> None:
        """Each check has the expected result and text, and the others succeed."""
        ran = run(self.site.config, "--json")
        self.assertEqual("", ran.stderr)
        rows = {row["check"]: row for row in json.loads(ran.stdout)["checks"]}
        self.assertEqual(max(row["result"] for row in rows.values()), ran.returncode)
        for name, row in rows.items():
            code, text = expected.pop(name.replace(" ", "_").lower(), (SUCCESS, ""))
            self.assertEqual(code, row["result"], row)
            self.assertIn(text, row["details"] or "")
        self.assertEqual({}, expected)


class UpgradeCheckTest(UpgradeCheckCase):
    def test_ready_installation_passes(self) -> None:
        self.assert_rows()
        ran = run(self.site.config)
        self.assertEqual((0, ""), (ran.returncode, ran.stderr))
        self.assertEqual(7, ran.stdout.count("Result: Success"))

    def test_database_of_other_region_fails(self) -> None:
        with self.site.engine.begin() as connection:
            project = {"id": "p1", "name": "one", "last_collected": self.site.start, "telemetry": "ceilometer/north"}
            connection.execute(sa.insert(models.tenants), project)
        for region in (None, "north"):
            self.site.configure({"region_name": region} if region else {})
            self.assert_rows()
        self.site.configure({"region_name": "south"})
        problem = "The database has the usage of ceilometer/north, and the"
        self.assert_rows(region=(FAILURE, problem))

    def test_output_needs_no_unicode(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        lease = {"project_id": "p1", "owner": "h\u00f4te\x1b:1", "created": now - HOUR, "expires": now - HOUR / 2}
        with self.site.engine.begin() as connection:
            project = {"id": "p1", "name": "one", "last_collected": self.site.start}
            connection.execute(sa.insert(models.tenants), project)
            connection.execute(sa.insert(models.project_locks), lease)
        command = [PROGRAM, "--config-file", str(self.site.config), "upgrade", "check"]
        environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
        self.assertEqual((WARNING, ""), (ran.returncode, ran.stderr))
        self.assertIn(r"h\xf4te\x1b:1 holds 1 lease that the next run takes over", ran.stdout)

    def test_invalid_values_fail_only_their_checks(self) -> None:
        self.site.configure(sections={"DEFAULT": {"debug": "perhaps"}}, workers=0, enable_exporter="x")
        self.assert_rows(
            configuration=(FAILURE, f"{self.site.config}: [collector] workers = 0"),
            rules=(FAILURE, "until the configuration is fixed"),
        )

    def test_unknown_and_deprecated_options_warn(self) -> None:
        self.site.configure(sections={"odoo": {"a": 1}}, ignore_tenants="a", worker=1)
        self.assert_rows(
            unknown_options=(WARNING, "[collector] unknown key 'worker'; did you mean workers?"),
            deprecated_options=(WARNING, "[collector] ignore_tenants is deprecated; use [collector] ignore_projects"),
        )

    def test_rules_of_every_collector_are_checked(self) -> None:
        wrong = self.site.folder / "wrong.yml"
        wrong.write_text("- {meter: a, unit: hour, transformer: maxx}\n- {metr: b, unit: hour, transformer: max}\n")
        groups = {"DEFAULT": {"enabled_collectors": "one, two"}, "collector:one": {}}
        self.site.configure(sections={**groups, "collector:two": {"meter_mappings_file": wrong}})
        self.assert_rows(rules=(FAILURE, f"did you mean max?\n{wrong}:2: entry 2 (no meter): unknown key 'metr'"))

    def test_unknown_auth_type_fails(self) -> None:
        self.site.configure({"auth_type": "passport"}, include_domains="a", ignore_domains="a")
        self.assert_rows(configuration=(FAILURE, "auth_type: unknown plugin 'passport'"))

    def test_unwritable_log_file_fails(self) -> None:
        self.site.configure(sections={"DEFAULT": {"log_file": self.site.folder}})
        reason = f"the log file {self.site.folder} cannot be written: Is a directory"
        self.assert_rows(configuration=(FAILURE, reason))

    def test_only_dead_owners_leases_warn(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        leases = [
            {"project_id": "p1", "owner": "dead:1", "created": now - HOUR, "expires": now - HOUR / 2},
            {"project_id": "p2", "owner": "dead:1", "created": now - HOUR, "expires": now - HOUR / 2},
            {"project_id": "p3", "owner": "old", "created": now, "expires": None},
            {"project_id": "p4", "owner": "living", "created": now, "expires": now + HOUR / 20},
        ]
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(models.project_locks), leases)
        advice = "dead:1 holds 2 leases that the next run takes over.\nold holds 1 lease without expiry"
        self.assert_rows(leases_of_dead_owners=(WARNING, advice))

    def test_missing_config_file_exits_with_255(self) -> None:
        ran = run(pathlib.Path("/nowhere/distil.conf"))
        self.assertEqual((UNREADABLE, ""), (ran.returncode, ran.stdout))
        self.assertEqual("distil-status: /nowhere/distil.conf cannot be read: no such file\n", ran.stderr)

    def test_closed_pipe_prints_no_error(self) -> None:
        command = f"{PROGRAM} --config-file {self.site.config} upgrade check | true"
        ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual("", ran.stderr)

    def test_version_option_prints_version(self) -> None:
        ran = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((0, importlib.metadata.version("distil")), (ran.returncode, ran.stdout.strip()))


class UpgradeCheckDatabaseTest(UpgradeCheckCase):
    def configure(self, url: str) -> None:
        text = self.site.config.read_text()
        self.site.config.write_text(text.replace(self.site.url, url))

    def test_unreachable_database_fails_its_checks(self) -> None:
        self.configure("mysql://distil:s3cr3t@127.0.0.1:1/distil")
        reason = "could not connect to mysql+pymysql://distil:***@127.0.0.1:1/distil"
        self.assert_rows(database_revision=(FAILURE, reason), leases_of_dead_owners=(FAILURE, reason))

    def test_empty_database_fails(self) -> None:
        url = self.enterContext(databases.database(databases.SQLITE, migrated=False))
        self.configure(url)
        self.assert_rows(database_revision=(FAILURE, "the database is at no revision"))

    def test_legacy_database_fails_and_lists_locks(self) -> None:
        url = self.enterContext(databases.database(databases.MYSQL, migrated=False))
        engine = db_engine.create_engine(url)
        predecessor.create(engine)
        engine.dispose()
        self.configure(url)
        self.assert_rows(
            database_revision=(FAILURE, "the database is at revision 002"),
            leases_of_dead_owners=(WARNING, "host-1 holds 1 "),
        )
