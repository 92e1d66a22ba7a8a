# SPDX-License-Identifier: Apache-2.0
"""Rechecks, and the windows that they find late."""

import datetime
import json
import threading

import sqlalchemy as sa

from distil import model
from distil.db import late_windows
from distil.db import models
from distil.db import rechecks
from distil.db.late_windows import NewLateWindow
from distil.db.rechecks import NewRecheck
from distil.db.rechecks import RecheckMethod
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
DAY = model.Window(START, START + 24 * HOUR)
NOW = START + 100 * HOUR


class RechecksSQLiteTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        with self.engine.begin() as connection:
            for table in (models.rechecks, models.late_windows, models.receipts):
                connection.execute(sa.delete(table))

    def check(self, first: int, last: int, age: int = 6, telemetry: str = "t/r") -> None:
        """Store that the hours from the first to the last were compared, that many hours after the last."""
        period = model.Window(START + first * HOUR, START + last * HOUR)
        recheck = NewRecheck(period, "c", telemetry, RecheckMethod.COUNTS, 1, 0)
        rechecks.insert(self.engine, recheck, period.end + age * HOUR)

    def unchecked(self) -> tuple[int, int] | None:
        found = rechecks.last_unchecked(self.engine, "t/r", DAY, 6 * HOUR)
        return None if found is None else ((found.start - START) // HOUR, (found.end - START) // HOUR)

    def test_newest_unchecked_part_is_found(self) -> None:
        self.assertEqual((0, 24), self.unchecked())
        self.check(20, 24)
        self.assertEqual((0, 20), self.unchecked())
        self.check(3, 7)
        self.check(4, 12)
        self.assertEqual((12, 20), self.unchecked())
        self.check(12, 20)
        self.assertEqual((0, 3), self.unchecked())
        self.check(-5, 3)
        self.assertIsNone(self.unchecked())

    def test_younger_and_other_rechecks_do_not_count(self) -> None:
        self.check(0, 24, age=5)
        self.check(0, 24, telemetry="t/other")
        self.assertEqual((0, 24), self.unchecked())
        self.check(-3, 30, age=6)
        self.assertIsNone(self.unchecked())

    def receipt(self, revision: int) -> None:
        texts = dict.fromkeys(("samples_digest", "usage_digest"), "1:x") | {"meters": json.dumps({})}
        names = ("samples", "used", "untrusted", "duplicates", "rejected", "entries", "rules", "names")
        window = {"tenant_id": "p1", "start": START, "end": START + HOUR, "revision": revision, "committed": START}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.receipts), dict.fromkeys(names, 0) | texts | window)

    def late(self, project_id: str = "p1", samples: int = 5, revision: int | None = 0) -> NewLateWindow:
        return NewLateWindow(project_id, model.Window(START, START + HOUR), samples, revision)

    def stored(self) -> list[tuple[str, int]]:
        table = models.late_windows.c
        with self.engine.connect() as connection:
            query = sa.select(table.tenant_id, table.samples).where(table.end == START + HOUR)
            return [tuple(row) for row in connection.execute(query.order_by(table.tenant_id))]

    def test_window_collected_again_meanwhile_is_not_stored(self) -> None:
        self.receipt(revision=1)
        late_windows.insert(self.engine, [self.late(revision=0)], NOW)
        late_windows.replace(self.engine, [self.late(revision=0)], (), NOW)
        self.assertEqual([], self.stored())
        late_windows.insert(self.engine, [self.late(revision=1)], NOW)
        self.assertEqual([("p1", 5)], self.stored())

    def test_known_window_is_replaced_or_kept(self) -> None:
        self.receipt(revision=0)
        found = [self.late(), self.late("p2", revision=None)]
        late_windows.insert(self.engine, found, NOW)
        late_windows.insert(self.engine, [self.late(samples=7)], NOW)
        self.assertEqual([("p1", 5), ("p2", 5)], self.stored())
        late_windows.replace(self.engine, [self.late(samples=7)], {found[1].key}, NOW)
        self.assertEqual([("p1", 7)], self.stored())
        self.assertEqual({found[0].key}, late_windows.stored_keys(self.engine, DAY))
        self.assertEqual(set(), late_windows.stored_keys(self.engine, DAY, ["p2"]))


class RechecksMySQLTest(RechecksSQLiteTest):
    BACKEND = databases.MYSQL

    def test_several_collectors_store_the_same_windows(self) -> None:
        self.receipt(revision=0)
        found = [self.late(), *(self.late(f"q{number}", revision=None) for number in range(200))]
        errors: list[BaseException] = []

        def store() -> None:
            try:
                late_windows.insert(self.engine, found, NOW)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=store) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(([], 201), (errors, len(self.stored())))


class RechecksPostgreSQLTest(RechecksMySQLTest):
    BACKEND = databases.POSTGRESQL
