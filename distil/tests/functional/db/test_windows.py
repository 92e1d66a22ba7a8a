# SPDX-License-Identifier: Apache-2.0
"""The windows of a period, as the databases merge them."""

import datetime
from collections.abc import Iterable

import sqlalchemy as sa

from distil import digest
from distil.db import models
from distil.db.windows import PeriodWindows
from distil.model import Window
from distil.tests.support import databases

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


class _PeriodWindowsTests:
    class TestCase(databases.DatabaseTestCase):
        def setUp(self) -> None:
            self.addCleanup(self.execute, *map(sa.delete, reversed(models.metadata.sorted_tables)))

        def test_ranges_of_equal_windows(self) -> None:
            self.add_project("p1", collected=8)
            self.add_receipts(
                "p1", [0, 1, 3, 4, 5, 6, 7], {3: {"samples": 0}, 5: {"rejected": 2}, 6: {"suspect": "few"}}
            )
            self.execute(sa.insert(models.late_windows).values(self.late("p1", 4)))
            self.add_rejected("p1", 5)
            expected = [
                (0, 2, "complete", 2),
                (2, 3, "missing", 1),
                (3, 4, "empty", 1),
                (4, 5, "late", 1),
                (5, 6, "rejected", 1),
                (6, 7, "suspect", 1),
                (7, 8, "complete", 1),
                (8, 10, "missing", 2),
            ]
            self.assertEqual({"p1": expected}, self.found())

        def test_hole_among_windows_of_several_lengths_is_found(self) -> None:
            """Six windows from 0 to 6 o'clock, one of which is half an hour short."""
            self.add_project("p1", collected=6)
            self.add_receipts("p1", range(6), {3: {"end": self.at(3) + HOUR / 2}})
            windows = PeriodWindows(self.engine, Window(self.at(0), self.at(6)))
            ((_, ranges),) = windows.iterate()
            self.assertEqual(["complete", "missing", "complete"], [found.state.value for found in ranges])
            self.assertEqual(Window(self.at(3) + HOUR / 2, self.at(4)), ranges[1].window)

        def test_deleted_rejected_samples_are_settled(self) -> None:
            self.add_project("p1", collected=10)
            self.add_receipts("p1", range(10), {hour: {"rejected": 2} for hour in (5, 7)})
            self.add_rejected("p1", 7)
            expected = [(0, 7, "complete", 7), (7, 8, "rejected", 1), (8, 10, "complete", 2)]
            self.assertEqual({"p1": expected}, self.found())

        def test_only_period_is_read(self) -> None:
            self.add_project("p1", collected=8)
            self.add_receipts("p1", range(8))
            self.assertEqual({"p1": [(2, 5, "complete", 3)]}, self.found(2, 5))

        def test_projects_are_chosen(self) -> None:
            for project_id in ("p1", "p2"):
                self.add_project(project_id, collected=10)
                self.add_receipts(project_id, range(10))
            self.assertEqual({"p2": [(0, 10, "complete", 10)]}, self.found(projects=["p2"]))

        def test_failure_names_its_window(self) -> None:
            self.add_project("p1", collected=4)
            self.add_receipts("p1", range(4))
            failure = {"start": self.at(4), "end": self.at(5), "reason": "HTTP 500", "collector": "c", "runs": 1}
            times = {"since": self.at(5), "seen": self.at(6), "tenant_id": "p1"}
            self.execute(sa.insert(models.project_failures).values(failure | times))
            self.assertEqual({"p1": [(0, 4, "complete", 4), (4, 5, "failed", 1), (5, 10, "missing", 5)]}, self.found())

        def test_projects_that_no_run_saw(self) -> None:
            self.execute(sa.insert(models.late_windows).values(self.late("p1", 3)))
            self.execute(sa.insert(models.late_windows).values(self.late("p2", 3)))
            self.add_state("p2", 1, "out_of_scope")
            self.add_state("p3", 5, "enabled")
            self.assertEqual({"p1": [(3, 4, "missing", 1)], "p2": [], "p3": [(5, 10, "missing", 5)]}, self.found())

        def test_samples_after_departure_are_missing(self) -> None:
            self.add_project("p1", collected=5, departed=self.at(3), collect_until=self.at(5))
            self.add_receipts("p1", range(5))
            self.execute(sa.insert(models.late_windows).values(self.late("p1", 7)))
            self.assertEqual({"p1": [(0, 5, "complete", 5), (7, 8, "missing", 1)]}, self.found())

        def test_many_projects_are_read(self) -> None:
            ids = [f"p{number:04}" for number in range(450)]
            for project_id in ids:
                self.add_project(project_id, collected=0)
            self.assertEqual(ids, list(self.found()))

        def found(self, start: int = 0, end: int = 10, projects: list[str] | None = None) -> dict[str, list[object]]:
            """By project, its ranges: first and last hour, state and number."""
            windows = PeriodWindows(self.engine, Window(self.at(start), self.at(end)), projects or ())
            return {
                project.id: [
                    (
                        (found.window.start - START) // HOUR,
                        (found.window.end - START) // HOUR,
                        str(found.state),
                        found.number,
                    )
                    for found in ranges
                ]
                for project, ranges in windows.iterate()
            }

        def at(self, hour: int) -> datetime.datetime:
            return START + hour * HOUR

        def add_project(self, project_id: str, *, collected: int, **values: object) -> None:
            row = {"id": project_id, "name": project_id, "last_collected": self.at(collected), "created": self.at(0)}
            scope = None if values else "c"
            self.execute(sa.insert(models.tenants).values({**row, "in_scope_of": scope, **values}))

        def add_receipts(
            self, project_id: str, hours: Iterable[int], changes: dict[int, dict[str, object]] | None = None
        ) -> None:
            rows = [{**self.receipt(project_id, hour), **(changes or {}).get(hour, {})} for hour in hours]
            for row in rows:
                self.execute(sa.insert(models.receipts).values(row))

        def receipt(self, project_id: str, hour: int) -> dict[str, object]:
            counts = dict.fromkeys(("revision", "samples", "used", "untrusted", "duplicates", "rejected", "entries"), 0)
            digests = {"samples_digest": digest.samples_digest([]), "usage_digest": digest.usage_digest([])}
            window = {"start": self.at(hour), "end": self.at(hour + 1), "committed": self.at(hour + 2)}
            documents = {"rules": 1, "names": 2, "meters": "{}"}
            return {"tenant_id": project_id, **counts, "samples": 5, **window, **digests, **documents}

        def late(self, project_id: str, hour: int) -> dict[str, object]:
            window = {"start": self.at(hour), "end": self.at(hour + 1), "checked": self.at(40)}
            return {"tenant_id": project_id, "samples": 7, **window}

        def add_rejected(self, project_id: str, hour: int) -> None:
            window = {"start": self.at(hour), "end": self.at(hour + 1), "created": self.at(hour + 2)}
            sample = {"meter": "instance", "reason": "volume is missing", "sample": "{}"}
            self.execute(sa.insert(models.rejected_samples).values(tenant_id=project_id, **window, **sample))

        def add_state(self, project_id: str, hour: int, state: str) -> None:
            row = {"tenant_id": project_id, "since": self.at(hour), "state": state, "collector": "c"}
            self.execute(sa.insert(models.project_states).values(row))

        def execute(self, *statements: sa.Executable) -> None:
            with self.engine.begin() as connection:
                for statement in statements:
                    connection.execute(statement)


class SQLitePeriodWindowsTest(_PeriodWindowsTests.TestCase):
    pass


class MySQLPeriodWindowsTest(_PeriodWindowsTests.TestCase):
    BACKEND = databases.MYSQL


class PostgreSQLPeriodWindowsTest(_PeriodWindowsTests.TestCase):
    BACKEND = databases.POSTGRESQL
