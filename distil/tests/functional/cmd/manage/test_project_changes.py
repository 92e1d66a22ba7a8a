# SPDX-License-Identifier: Apache-2.0
"""``project forget`` and ``project start``."""

import datetime
import json
import unittest
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support import secrets
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


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
        would = self.shown("project", "forget", "project-1", "--dry-run")
        self.assertEqual(("would be forgotten", len(usage)), (would["result"], would["usage_entry"]))
        done = self.shown("project", "forget", "project-1")
        self.assertEqual({**would, "result": "forgotten"}, done)
        self.assertEqual([entry for entry in others if entry not in usage], self.site.usage())
        self.run_it("project", "forget", "project-1", status=3)

    def test_forget_needs_whole_name(self) -> None:
        self.run_it("project", "forget", self.project[:8], "--no-keystone", status=3)

    def test_forget_fails_without_keystone(self) -> None:
        self.site.cloud.add_fault("identity", "status")
        self.addCleanup(self.site.cloud.faults.clear)
        self.run_it("project", "forget", "project-1", status=1)
        self.assertTrue(self.site.usage(tenant_id=self.project))
        self.run_it("project", "forget", "project-1", "--no-keystone")
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

    def test_start_must_be_past_hour(self) -> None:
        tomorrow = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0) + 24 * HOUR
        for at in ("2026-01-01T00:30", tomorrow.isoformat(), "yesterday"):
            self.run_it("project", "start", "project-1", "--at", at, status=2)
        self.run_it("project", "start", "project-1", status=2)


class DeletePrivilegeTest(manage.ManageTestCase):
    BACKEND = databases.MYSQL

    def test_missing_privilege_is_explained(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": "n"})
        with secrets.mariadb_user(self.url, "sekret", lacking=["Delete"]) as url:
            self.config.write_text(f"[database]\nconnection = {url}\n")
            for command in (("usage", "prune", "--before", "2020-01-01"), ("project", "forget", "p1", "--no-keystone")):
                error = self.error(*command)
                self.assertIn("lacks the privilege DELETE on", error)
                self.assertIn("usage_entry", error)
                self.assertIn("collectors do not", error)
