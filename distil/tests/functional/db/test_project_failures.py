# SPDX-License-Identifier: Apache-2.0
"""Project failures, on every backend."""

import datetime
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from distil import model
from distil.db import store
from distil.db.models import MAX_REASON
from distil.db.models import project_failures
from distil.db.project_failures import Failure
from distil.tests.functional.db.test_races import THREADS
from distil.tests.functional.db.test_races import at_once
from distil.tests.support import databases

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
WINDOW = model.Window(NOW - HOUR, NOW)


class TestProjectFailuresSQLite(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)
        self.addCleanup(self.clear)

    def clear(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(project_failures))

    def rows(self) -> dict[str, Mapping[str, Any]]:
        with self.engine.connect() as connection:
            return {row["tenant_id"]: dict(row) for row in connection.execute(sa.select(project_failures)).mappings()}

    def test_failure_is_stored_with_window(self) -> None:
        self.store.record_failures([Failure("p1", "main", WINDOW, "größe 🐘"), Failure("p2", "main", None, "no")], NOW)
        common = {"collector": "main", "since": NOW, "seen": NOW, "runs": 1}
        first = {"tenant_id": "p1", "start": WINDOW.start, "end": WINDOW.end, "reason": "größe 🐘"}
        second = {"tenant_id": "p2", "start": None, "end": None, "reason": "no"}
        self.assertEqual({"p1": first | common, "p2": second | common}, self.rows())

    def test_repeated_failure_increments_run_count(self) -> None:
        self.store.record_failures([Failure("p1", "main", WINDOW, "first")], NOW)
        self.store.record_failures(
            [Failure("p1", "other", None, "second"), Failure("p2", "other", None, "new")], NOW + HOUR
        )
        changed = {"collector": "other", "start": None, "reason": "second", "since": NOW, "seen": NOW + HOUR, "runs": 2}
        rows = self.rows()
        self.assertLessEqual(changed.items(), rows["p1"].items())
        self.assertEqual((NOW + HOUR, 1), (rows["p2"]["since"], rows["p2"]["runs"]))

    def test_last_failure_of_run_wins(self) -> None:
        self.store.record_failures([Failure("p1", "main", WINDOW, "first"), Failure("p1", "main", WINDOW, "last")], NOW)
        self.assertEqual(("last", 1), (self.rows()["p1"]["reason"], self.rows()["p1"]["runs"]))

    def test_case_and_trailing_blank_distinguish_ids(self) -> None:
        self.store.record_failures([Failure(project_id, "main", None, "no") for project_id in ("p1", "P1", "p1 ")], NOW)
        self.store.clear_failures(["P1"])
        self.assertEqual({"p1", "p1 "}, self.rows().keys())

    def test_long_reason_is_escaped_and_truncated(self) -> None:
        self.store.record_failures([Failure("p1", "c" * 300, None, "🐘\ud800\x00" * 1000)], NOW)
        row = self.rows()["p1"]
        self.assertEqual((255, MAX_REASON), (len(row["collector"]), len(row["reason"])))
        self.assertTrue(row["reason"].startswith(r"🐘\ud800\x00"))

    def test_clears_only_recovered_projects(self) -> None:
        failed = [Failure(f"p{number}", "main", WINDOW, "no") for number in range(1203)]
        self.store.record_failures(failed, NOW)
        self.store.clear_failures([f"p{number}" for number in range(1, 1203)] + ["never failed"])
        self.assertEqual({"p0"}, self.rows().keys())

    def test_clearing_nothing_sends_one_query(self) -> None:
        statements: list[str] = []

        def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        sa.event.listen(self.engine, "before_cursor_execute", record)
        self.addCleanup(sa.event.remove, self.engine, "before_cursor_execute", record)
        self.store.clear_failures([f"p{number}" for number in range(2000)])
        self.store.record_failures([], NOW)
        self.assertEqual(1, len([statement for statement in statements if "project_failures" in statement]), statements)

    def test_concurrent_collectors_lose_no_failures(self) -> None:
        ids = [f"p{number}" for number in range(100)]

        def record(number: int) -> None:
            ordered = ids[number * 20 :] + ids[: number * 20]
            self.store.record_failures([Failure(project_id, "main", WINDOW, "no") for project_id in ordered], NOW)

        self.assertEqual([None] * THREADS, at_once(record))
        self.assertEqual({THREADS}, {row["runs"] for row in self.rows().values()})
        self.assertEqual(set(ids), self.rows().keys())


class TestProjectFailuresMySQL(TestProjectFailuresSQLite):
    BACKEND = databases.MYSQL


class TestProjectFailuresPostgreSQL(TestProjectFailuresSQLite):
    BACKEND = databases.POSTGRESQL
