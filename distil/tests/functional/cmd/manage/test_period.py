# SPDX-License-Identifier: Apache-2.0
"""``period check``: a cloud of which a few hours went wrong."""

import datetime
import json
import unittest
from typing import Any

import sqlalchemy as sa

from distil.db import models
from distil.sandbox.data.meters import METERS
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

BORN = 32 * "e"


class PeriodCheckTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(databases.MYSQL, projects=6, resources=1))
        self.failing, self.emptied, self.gone, self.disabled, *_ = self.site.cloud.projects.enabled_ids

    def test_each_fault_is_named(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.break_hours()
        found = {finding["subject"]: finding for finding in self.check(status=1) if finding["state"] != "failed"}
        self.assertEqual({self.failing, self.emptied, BORN, "rechecks"}, found.keys())
        self.assertEqual(("missing", 1), (found[self.failing]["state"], found[self.failing]["windows"]))
        self.assertRegex(found[self.failing]["reason"], "^failing since .*HTTP 500")
        self.assertEqual((self.time(1), self.time(2)), (found[self.emptied]["start"], found[self.emptied]["end"]))
        self.assertEqual("empty", found[self.emptied]["state"])
        self.assertIn("never collected", found[BORN]["reason"])
        self.assertIn(f"Project {self.gone} (project-2): gone since", self.notes)
        self.assertIn(f"Project {self.disabled} (project-3): disabled since", self.notes)

    def test_mended_period_is_proven(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.break_hours()
        self.site.cloud.faults.clear()
        self.site.collect()
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        manage.run(self.site.config, "window", "recheck", *period)
        recollected = manage.run(self.site.config, "usage", "recollect", "--late", "--reason", "empty answers")
        self.assertIn(self.emptied, recollected.stdout, recollected.stderr)
        findings = self.check(status=1)
        self.assertEqual({BORN, "rechecks"}, {finding["subject"] for finding in findings})
        accepted = ("--except", f"{BORN}=billed by hand")
        self.execute(sa.update(models.rechecks).values(checked=self.site.end + 24 * HOUR))
        (finding,) = self.check(*accepted)
        self.assertEqual("billed by hand", finding["accepted"])
        self.assertIn("is complete: 8 projects", self.notes)

    def test_deleted_receipt_is_found(self) -> None:
        self.site.collect()
        columns = models.receipts.c
        where = columns.tenant_id == self.emptied, columns.start == self.site.start + HOUR
        self.execute(sa.delete(models.receipts).where(*where))
        found = [finding for finding in self.check(status=1) if finding["subject"] == self.emptied]
        reasons = [(finding["start"], finding["reason"]) for finding in found]
        self.assertEqual([(self.time(1), "collected, but its receipt was deleted")], reasons)

    def test_collectors_of_different_scopes_complete_it(self) -> None:
        self.site.configure(include_projects=self.failing)
        self.site.collect()
        self.site.configure(ignore_projects=self.failing)
        self.site.collect()
        self.assertEqual(["rechecks"], [finding["subject"] for finding in self.check(status=1)])

    def test_hours_without_runs_are_found(self) -> None:
        self.site.collect()
        for taken in (self.site.start, self.site.end):
            row = {"collector": "default", "taken": taken, "projects": 1, "digest": "1:"}
            self.execute(sa.insert(models.rosters).values(row))
        findings = self.check("--except", "rechecks=none", status=1)
        self.assertEqual([("rechecks", "none"), ("rosters", None)], [(f["subject"], f["accepted"]) for f in findings])

    def test_period_that_is_not_over_is_refused(self) -> None:
        result = manage.run(self.site.config, "period", "check", f"{datetime.datetime.now(datetime.UTC):%Y-%m}")
        self.assertEqual((1, ""), (result.returncode, result.stdout))
        self.assertIn("is not over", result.stderr)

    def test_bad_command_lines_are_refused(self) -> None:
        for arguments in (
            ("no month",),
            ("x", "--start", "2026-01-01"),
            ("x", "--start", "2026-01-02", "--end", "2026-01-01"),
            ("2026-01", "--except", "p"),
        ):
            with self.subTest(arguments):
                result = manage.run(self.site.config, "period", "check", *arguments)
                self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)

    def break_hours(self) -> None:
        """Collect the rest: one project fails, one gets empty answers for an hour, and two leave Keystone's list."""
        cloud = self.site.cloud
        cloud.add_fault("metering", "status", status=500, project_id=self.failing)
        empty = {
            meter: self.site.samples(self.emptied, meter) for meter in METERS if self.site.samples(self.emptied, meter)
        }
        begin, end = ((self.site.start + hour * HOUR).replace(tzinfo=None).isoformat() for hour in (1, 2))
        for meter, samples in empty.items():
            rest = [sample for sample in samples if not begin <= sample["timestamp"] < end]
            cloud.add_samples(self.emptied, meter, rest, replace=True)
        self.site.collect(self.site.start + 2 * HOUR, status=1)
        cloud.injected_samples.clear()
        cloud.projects.delete(self.gone)
        cloud.projects.update(self.disabled, {"enabled": False})
        self.site.collect(status=1)
        born = self.site.samples(self.emptied, "instance")
        moment = (self.site.start + HOUR + HOUR / 2).replace(tzinfo=None).isoformat()
        sample = {**born[0], "project_id": BORN, "timestamp": moment}
        cloud.add_samples(BORN, "instance", [sample])
        window = {"start": self.site.start + HOUR, "end": self.site.start + 2 * HOUR, "checked": self.site.end}
        self.execute(sa.insert(models.late_windows).values(tenant_id=BORN, samples=1, **window))

    def check(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        result = manage.run(self.site.config, "period", "check", "hours", *period, *arguments, "-f", "json")
        self.assertEqual(status, result.returncode, result.stdout + result.stderr)
        self.notes = result.stderr
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows

    def time(self, hour: int) -> str:
        return f"{self.site.start + hour * HOUR:%Y-%m-%dT%H:%M:%SZ}"

    def execute(self, statement: sa.Executable) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(statement)
