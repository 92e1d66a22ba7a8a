# SPDX-License-Identifier: Apache-2.0
"""The collected windows of a period, with and without receipts."""

import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from distil import digest
from distil import model
from distil.db import models
from distil.db.billed_windows import BilledWindow
from distil.db.billed_windows import BilledWindows
from distil.tests.support import databases

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


class BilledWindowsTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.addCleanup(self.execute, *map(sa.delete, reversed(models.metadata.sorted_tables)))

    def test_windows_precede_receipts_since_first_usage(self) -> None:
        self.add("p1", first_usage=2, receipts=(5, 6), collected=7)
        self.assertEqual([("p1", hour, hour in (5, 6)) for hour in range(2, 7)], self.found(0, 24))

    def test_only_windows_of_period_are_found(self) -> None:
        self.add("p1", first_usage=2, receipts=(5, 6, 7), collected=8)
        self.assertEqual([("p1", 3, False), ("p1", 4, False)], self.found(3, 5))
        self.assertEqual([("p1", 6, True)], self.found(6, 7))
        self.assertEqual([], self.found(8, 24))
        self.assertEqual([], self.found(0, 2))

    def test_project_without_usage_or_receipts_has_none(self) -> None:
        self.add("p1", first_usage=None, receipts=(), collected=8)
        self.assertEqual([], self.found(0, 24))

    def test_same_window_of_projects_comes_together(self) -> None:
        self.add("p2", first_usage=0, receipts=(1, 2), collected=3)
        self.add("p1", first_usage=1, receipts=(2,), collected=3)
        groups = list(self.windows(0, 24).iterate(self.windows(0, 24).projects()))
        expected = [["p2"], ["p1", "p2"], ["p1", "p2"]]
        self.assertEqual(expected, [[billed.project_id for billed in group] for group in groups])

    def test_windows_keep_their_own_length(self) -> None:
        self.add("p1", first_usage=0, receipts=(4,), collected=5)
        windows = BilledWindows(self.engine, START + HOUR, START + 24 * HOUR, 2 * HOUR)
        found = [group[0].window for group in windows.iterate(windows.projects())]
        expected = [model.Window(START + begin * HOUR, START + end * HOUR) for begin, end in ((2, 4), (4, 5))]
        self.assertEqual(expected, found)

    def test_projects_are_chosen(self) -> None:
        for project_id, collector in (("p1", "a"), ("p2", "b"), ("p3", None)):
            self.add(project_id, first_usage=0, receipts=(), collected=1, collector=collector)
        windows = self.windows(0, 24)
        self.assertEqual(["p2", "p3"], [project.id for project in windows.projects(collector="b")])
        self.assertEqual(["p1"], [project.id for project in windows.projects(["p1"])])

    def windows(self, start: int, end: int) -> BilledWindows:
        return BilledWindows(self.engine, START + start * HOUR, START + end * HOUR, HOUR)

    def found(self, start: int, end: int) -> list[tuple[str, int, bool]]:
        """Each window's project, hour, and whether it has a receipt; the number is checked too."""
        windows = self.windows(start, end)
        projects = windows.projects()
        found: list[BilledWindow] = [billed for group in windows.iterate(projects) for billed in group]
        self.assertEqual(len(found), windows.count(projects))
        return [(one.project_id, (one.window.start - START) // HOUR, one.receipt is not None) for one in found]

    def add(
        self,
        project_id: str,
        *,
        first_usage: int | None,
        receipts: Sequence[int],
        collected: int,
        collector: str | None = None,
    ) -> None:
        project = {"id": project_id, "name": project_id, "last_collected": START + collected * HOUR}
        self.execute(sa.insert(models.tenants).values(project | {"collector": collector}))
        if first_usage is not None:
            self.execute(sa.insert(models.resources).values(id="r", tenant_id=project_id))
            window = {"start": START + first_usage * HOUR, "end": START + (first_usage + 1) * HOUR}
            usage = {"service": "s", "unit": "u", "volume": 1, "tenant_id": project_id, "resource_id": "r"}
            self.execute(sa.insert(models.usage_entry).values(usage | window))
        for hour in receipts:
            self.execute(sa.insert(models.receipts).values(receipt(project_id, hour)))

    def execute(self, *statements: sa.Executable) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)


def receipt(project_id: str, hour: int) -> dict[str, object]:
    counts = dict.fromkeys(("revision", "samples", "used", "untrusted", "duplicates", "rejected", "entries"), 0)
    return {
        **counts,
        "tenant_id": project_id,
        "start": START + hour * HOUR,
        "end": START + (hour + 1) * HOUR,
        "meters": "{}",
        "samples_digest": digest.samples_digest([]),
        "usage_digest": digest.usage_digest([]),
        "rules": 1,
        "names": 2,
        "committed": START + (hour + 2) * HOUR,
    }
