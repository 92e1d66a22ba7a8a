# SPDX-License-Identifier: Apache-2.0
"""``window gaps``, ``window list`` and ``window show``."""

import datetime
import json
import unittest
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

_STRANGER = "e" * 32


class WindowTest(unittest.TestCase):
    """A site of which three windows of each project are collected."""

    BACKEND = databases.SQLITE

    site: ClassVar[Site]
    projects: ClassVar[Sequence[str]]
    period: ClassVar[Sequence[str]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site(cls.BACKEND, projects=2))
        cls.site.collect()
        cls.projects = cls.site.cloud.projects.enabled_ids
        cls.period = ("--start", cls.time(0), "--end", cls.time(3))

    @classmethod
    def time(cls, hour: int) -> str:
        return f"{cls.site.start + hour * HOUR:%Y-%m-%dT%H:%M:%SZ}"

    def rows(self, command: str, *arguments: str, status: int = 0) -> Any:
        result = manage.run(self.site.config, "window", command, *arguments, "-f", "json")
        self.assertEqual(status, result.returncode, result.stderr)
        self.notes = result.stderr
        return json.loads(result.stdout)

    def refused(self, command: str, *arguments: str, status: int) -> str:
        result = manage.run(self.site.config, "window", command, *arguments)
        self.assertEqual((status, ""), (result.returncode, result.stdout), result.stderr)
        return result.stderr.splitlines()[-1]

    def insert(self, table: sa.Table, **row: object) -> None:
        """Insert a row, which is deleted after the test."""
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(table), row)
        self.addCleanup(self.execute, sa.delete(table))

    def execute(self, statement: sa.Executable) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(statement)

    def make_late(self, project_id: str, hour: int) -> None:
        start = self.site.start + hour * HOUR
        self.insert(
            models.late_windows, tenant_id=project_id, start=start, end=start + HOUR, samples=99, checked=start + HOUR
        )

    def set_receipt(self, project_id: str, **values: Any) -> None:
        """Change the receipt of the first window until the end of the test."""
        columns = models.receipts.c
        where = columns.tenant_id == project_id, columns.start == self.site.start
        with self.site.engine.begin() as connection:
            before = connection.execute(sa.select(*(columns[name] for name in values)).where(*where)).one()._asdict()
            connection.execute(sa.update(models.receipts).where(*where).values(values))
        self.addCleanup(self.execute, sa.update(models.receipts).where(*where).values(before))

    def test_each_window_has_a_row(self) -> None:
        rows = self.rows("list", *self.period, "--project", self.projects[0])
        self.assertEqual([self.time(hour) for hour in range(3)], [row["start"] for row in rows])
        self.assertEqual([self.time(hour) for hour in range(1, 4)], [row["end"] for row in rows])
        self.assertEqual({("complete", None)}, {(row["state"], row["reason"]) for row in rows})
        self.assertEqual({"project-0"}, {row["project"] for row in rows})

    def test_windows_before_the_end_are_listed(self) -> None:
        arguments = "--start", self.time(1), "--end", self.time(2), "--project", "project-0"
        self.assertEqual([self.time(1)], [row["start"] for row in self.rows("list", *arguments)])

    def test_states_choose_windows(self) -> None:
        self.make_late(self.projects[0], 1)
        self.set_receipt(self.projects[1], suspect="few samples")
        rows = self.rows("list", *self.period, "--state", "late", "--state", "suspect")
        late = "the telemetry service holds other samples than were collected; it holds 99"
        expected = {
            (self.projects[0], self.time(1), "late", late),
            (self.projects[1], self.time(0), "suspect", "few samples"),
        }
        self.assertEqual(expected, {(row["project_id"], row["start"], row["state"], row["reason"]) for row in rows})
        self.assertEqual(1, len(self.rows("list", *self.period, "--limit", "1")))

    def test_rejected_samples_are_counted_by_window(self) -> None:
        self.set_receipt(self.projects[0], rejected=2)
        window = {"start": self.site.start, "end": self.site.start + HOUR, "created": self.site.end}
        sample = {"meter": "instance", "reason": "volume is missing", "sample": "{}"}
        self.insert(models.rejected_samples, tenant_id=self.projects[0], **window, **sample)
        (row,) = self.rows("list", *self.period, "--state", "rejected")
        self.assertEqual("samples rejected: 2", row["reason"])

    def test_complete_period_has_no_gaps(self) -> None:
        self.assertEqual([], self.rows("gaps", *self.period))
        self.assertIn("No gaps found", self.notes)

    def test_gaps_are_ranges_with_a_reason(self) -> None:
        """Windows of a project that never got a row, as its registration fails, are missing, too."""
        start = self.site.start
        self.insert(models.project_states, tenant_id=_STRANGER, since=start + HOUR, state="enabled", collector="c")
        for arguments in (), ("--project", _STRANGER):
            (row,) = self.rows("gaps", *self.period, *arguments, status=1)
            self.assertEqual(
                {
                    "project_id": _STRANGER,
                    "project": "",
                    "start": self.time(1),
                    "end": self.time(3),
                    "windows": 2,
                    "state": "missing",
                    "reason": f"enabled since {self.time(1)}, but never registered",
                },
                row,
            )
        each = self.rows("list", *self.period, "--state", "missing")
        self.assertEqual([self.time(1), self.time(2)], [row["start"] for row in each])
        self.assertEqual([], self.rows("gaps", *self.period, "--project", self.projects[0]))

    def test_times_are_in_the_zone(self) -> None:
        row = self.rows("list", *self.period, "--limit", "1", "--time-zone", "Asia/Kolkata")[0]
        self.assertTrue(row["start"].endswith("+05:30"), row)
        self.assertEqual(self.site.start, datetime.datetime.fromisoformat(row["start"]))

    def test_receipt_is_shown(self) -> None:
        self.make_late(self.projects[0], 0)
        shown = self.rows("show", "project-0", "--start", f"{self.site.start + HOUR / 2:%Y-%m-%dT%H:%M}")
        self.assertEqual((self.time(0), self.time(1)), (shown["start"], shown["end"]))
        self.assertEqual(("late", 99, self.time(1)), (shown["state"], shown["samples_held"], shown["compared"]))
        self.assertEqual(shown["samples"], sum(meter["samples"] for meter in shown["meters"].values()))
        entries = self.site.usage(tenant_id=self.projects[0], start=self.site.start)
        self.assertEqual((0, len(entries)), (shown["revision"], shown["entries"]))
        self.assertTrue(shown["rules"].startswith("1:"))
        self.assertIn("flavors", shown["names"])
        self.assertEqual([], shown["history"])

    def test_history_is_shown(self) -> None:
        columns = [column.name for column in models.receipts.c]
        with self.site.engine.begin() as connection:
            row = connection.execute(sa.select(models.receipts).where(models.receipts.c.start == self.site.start))
            old = row.first()
        assert old is not None
        values = dict(zip(columns, old, strict=True))
        self.insert(
            models.receipt_history, **values, reason="late samples", changed_by="me@here", changed=self.site.start
        )
        shown = self.rows("show", values["tenant_id"], "--start", self.time(0))
        change = {"revision": 1, "made": self.time(0), "by": "me@here", "reason": "late samples"}
        self.assertEqual([change], shown["history"])

    def test_uncollected_window_cannot_be_shown(self) -> None:
        message = self.refused("show", "project-0", "--start", self.time(100), status=3)
        self.assertIn("so not yet at", message)

    def test_bad_input_is_refused(self) -> None:
        for arguments, status, message in (
            ((), 2, "choose a period with --start or --month"),
            (("--month", "2999-01"), 2, "no window of the period has ended yet"),
            ((*self.period, "--project", "nobody"), 3, "'nobody'"),
        ):
            self.assertIn(message, self.refused("gaps", *arguments, status=status))
        self.refused("list", *self.period, "--state", "good", status=2)


class WindowMySQLTest(WindowTest):
    BACKEND = databases.MYSQL


class WindowPostgreSQLTest(WindowTest):
    BACKEND = databases.POSTGRESQL
