# SPDX-License-Identifier: Apache-2.0
"""``project forget`` and ``project start``."""

import datetime
import json
import signal
import unittest
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.db import retention
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support import secrets
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class ProjectChangeTest(unittest.TestCase):
    """A site whose usage is collected."""

    site: ClassVar[Site]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site())

    def setUp(self) -> None:
        with self.site.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(sa.delete(table))
        self.site.configure()
        self.site.collect(self.site.end - HOUR)
        self.project = self.site.cloud.projects.enabled_ids[1]

    def run_it(self, *arguments: str, status: int = 0) -> str:
        result = manage.run(self.site.config, *arguments)
        self.assertEqual(status, result.returncode, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        return result.stderr if status else result.stdout

    def shown(self, *arguments: str) -> Any:
        return json.loads(self.run_it(*arguments, "-f", "json"))

    def test_project_in_scope_is_not_forgotten(self) -> None:
        before = self.site.usage()
        for options in ((), ("--dry-run",)):
            error = self.run_it("project", "forget", "project-1", *options, status=1)
            self.assertIn(f"project {self.project} is in the scope of collector default", error)
        self.assertEqual(before, self.site.usage())

    def test_excluded_project_is_forgotten(self) -> None:
        usage, others = self.site.usage(tenant_id=self.project), self.site.usage()
        self.site.configure(ignore_projects="project-1")
        self.site.collect(self.site.end - HOUR)
        would = self.shown("project", "forget", "project-1", "--dry-run")
        self.assertEqual(("would be forgotten", len(usage)), (would["result"], would["usage_entry"]))
        done = self.shown("project", "forget", "project-1")
        self.assertEqual({**would, "result": "forgotten"}, done)
        self.assertEqual([entry for entry in others if entry not in usage], self.site.usage())
        self.run_it("project", "forget", "project-1", status=3)

    def test_project_of_last_run_is_not_forgotten(self) -> None:
        """A collector that has not been restarted would register it anew."""
        self.site.configure(ignore_projects="project-1")
        error = self.run_it("project", "forget", "project-1", status=1)
        self.assertIn("was in the scope of collector default in its last run", error)
        self.assertTrue(self.site.usage(tenant_id=self.project))

    def test_departing_project_is_not_forgotten(self) -> None:
        self.site.cloud.projects.update(self.project, {"enabled": False})
        self.addCleanup(self.site.cloud.projects.update, self.project, {"enabled": True})
        # A third of the projects is missing: an earlier run has noticed it already.
        with self.site.engine.begin() as connection:
            values = {"departed": self.site.start}
            connection.execute(sa.update(models.tenants).filter_by(id=self.project).values(values))
        self.site.collect(self.site.end - HOUR)
        error = self.run_it("project", "forget", "project-1", status=1)
        self.assertIn(
            f"project {self.project} has left Keystone, but collector default collects its last usage until", error
        )
        self.assertIn(
            f"(last collected: {self.site.end - HOUR:%Y-%m-%dT%H:%M:%SZ}); wait for that, or use --force", error
        )
        self.run_it("project", "forget", "project-1", "--force")
        self.assertEqual([], self.site.usage(tenant_id=self.project))

    def test_project_that_just_left_is_kept(self) -> None:
        self.site.cloud.projects.update(self.project, {"enabled": False})
        self.addCleanup(self.site.cloud.projects.update, self.project, {"enabled": True})
        before = self.site.usage()
        for options in ((), ("--dry-run",)):
            error = self.run_it("project", "forget", "project-1", *options, status=1)
            self.assertIn(
                f"project {self.project} has left Keystone, which no run of collector default has noticed yet", error
            )
        self.assertEqual(before, self.site.usage())

    def test_forget_needs_whole_name(self) -> None:
        self.run_it("project", "forget", self.project[:8], "--force", status=3)

    def test_forget_fails_without_keystone(self) -> None:
        self.site.cloud.add_fault("identity", "status")
        self.addCleanup(self.site.cloud.faults.clear)
        self.run_it("project", "forget", "project-1", status=1)
        self.assertTrue(self.site.usage(tenant_id=self.project))
        self.run_it("project", "forget", "project-1", "--force")
        self.assertEqual([], self.site.usage(tenant_id=self.project))

    def test_earlier_start_collects_missing_windows(self) -> None:
        whole = self.site.usage()
        with self.site.engine.begin() as connection:
            connection.execute(sa.delete(models.usage_entry).where(models.usage_entry.c.tenant_id == self.project))
        at = self.site.start.isoformat()
        shown = self.shown("project", "start", "project-1", "--at", at)
        self.assertEqual(f"{self.site.end - HOUR:%Y-%m-%dT%H:%M:%SZ}", shown["last_collected_before"])
        self.assertEqual(f"{self.site.start:%Y-%m-%dT%H:%M:%SZ}", shown["last_collected"])
        self.site.collect(self.site.end - HOUR)
        self.assertEqual(whole, self.site.usage())

    def test_start_before_usage_is_refused(self) -> None:
        error = self.run_it("project", "start", "project-1", "--at", self.site.start.isoformat(), status=1)
        self.assertIn("they would be stored twice", error)

    def test_later_start_warns_of_gap(self) -> None:
        result = manage.run(self.site.config, "project", "start", "project-1", "--at", self.site.end.isoformat())
        skipped = f"{self.site.end - HOUR:%Y-%m-%dT%H:%M:%SZ} to {self.site.end:%Y-%m-%dT%H:%M:%SZ}"
        self.assertEqual(
            f"distil-manage: Usage from {skipped} is skipped: no collector will collect it\n", result.stderr
        )

    def test_start_of_departed_project_warns(self) -> None:
        with self.site.engine.begin() as connection:
            values = {"departed": self.site.start, "in_scope_of": None}
            connection.execute(sa.update(models.tenants).filter_by(id=self.project).values(values))
        at = (self.site.end - HOUR).isoformat()
        result = manage.run(self.site.config, "project", "start", "project-1", "--at", at)
        self.assertIn(f"Project {self.project} has departed and its collection has ended", result.stderr)

    def test_start_must_be_past_hour(self) -> None:
        tomorrow = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0) + 24 * HOUR
        for at in ("2026-01-01T00:30", "0026-01-01", tomorrow.isoformat(), "yesterday"):
            self.run_it("project", "start", "project-1", "--at", at, status=2)
        self.run_it("project", "start", "project-1", status=2)


class KilledForgetTest(manage.ManageTestCase):
    BACKEND = databases.MYSQL

    def test_killed_forget_can_be_repeated(self) -> None:
        arguments = ("project", "forget", "p1", "--force")
        point = 1
        # A sample of the points: a statement has three.
        while self.kill(point, *arguments):
            with self.subTest(point=point):
                forgotten = manage.run(self.config, *arguments, "-f", "yaml")
                self.assertIn(forgotten.returncode, (0, 3), forgotten.stderr)
                self.assertEqual({0}, set(retention.count_rows(self.engine, "p1").values()))
            point += 14
        self.assertGreater(point, 100)

    def kill(self, point: int, *arguments: str) -> bool:
        self.insert(models.tenants, {"id": "p1", "name": "n", "last_collected": START, "in_scope_of": "default"})
        self.insert(models.resources, {"id": "r1", "tenant_id": "p1"})
        key = {"tenant_id": "p1", "resource_id": "r1", "service": "s1", "start": START, "end": START + HOUR}
        self.insert(models.usage_entry, {**key, "unit": "gigabyte", "volume": 1})
        killed = commands.run("distil-manage", "--config-file", str(self.config), *arguments, kill_at=point)
        return killed.returncode == -signal.SIGKILL


class DeletePrivilegeTest(manage.ManageTestCase):
    BACKEND = databases.MYSQL

    def test_missing_privilege_is_explained(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": "n"})
        with secrets.mariadb_user(self.url, "sekret", lacking=["Delete"]) as url:
            self.config.write_text(f"[database]\nconnection = {url}\n")
            for command in (("usage", "prune", "--before", "2020-01-01"), ("project", "forget", "p1", "--force")):
                error = self.error(*command)
                self.assertIn("lacks the privilege DELETE on", error)
                self.assertIn("usage_entry", error)
                self.assertIn("collectors do not", error)
