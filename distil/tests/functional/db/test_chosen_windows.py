# SPDX-License-Identifier: Apache-2.0
"""Which windows are chosen to be collected again."""

import datetime
from decimal import Decimal

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.db.chosen_windows import ChosenWindows
from distil.db.store import Store
from distil.tests.functional.db.test_booking import receipt
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def window(hour: int, hours: int = 1) -> model.Window:
    return model.Window(START + hour * HOUR, START + (hour + hours) * HOUR)


class ChosenWindowsSQLiteTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = Store(self.engine)
        self.addCleanup(self.empty)

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(sa.delete(table))

    def collect(self, project_id: str, *windows: model.Window, recorded: bool = True) -> None:
        self.store.register_projects([(model.Project(project_id, project_id, "d"), windows[0].start)])
        usage = [model.Usage("s", "r", "u", Decimal(1))]
        for item in windows:
            self.store.project(project_id).commit(
                item, usage, [model.Resource("r", {})], [], receipt=receipt(usage) if recorded else None
            )

    def lose(self, project_id: str, hour: int) -> None:
        """Delete all rows of a window."""
        with self.engine.begin() as connection:
            for table in (models.usage_entry, models.receipts):
                connection.execute(sa.delete(table).filter_by(tenant_id=project_id, start=START + hour * HOUR))

    def chosen(
        self, *projects: str, first: int = 0, last: int = 9, late: bool = False
    ) -> list[tuple[model.Window, list[str]]]:
        period = START + first * HOUR, START + last * HOUR
        windows = ChosenWindows(self.engine, projects, *period, only_late=late)
        return [(item, list(project_ids)) for item, project_ids in windows.iterate()]

    def test_windows_of_all_projects_are_in_order_of_time(self) -> None:
        self.collect("p2", *map(window, range(3)))
        self.collect("p1", *map(window, range(1, 3)), recorded=False)
        both = ["p1", "p2"]
        self.assertEqual([(window(0), ["p2"]), (window(1), both), (window(2), both)], self.chosen())
        self.assertEqual([(window(1), both)], self.chosen(first=1, last=2))
        self.assertEqual([(window(1), ["p1"]), (window(2), ["p1"])], self.chosen("p1"))

    def test_lost_window_of_named_project_is_chosen(self) -> None:
        self.collect("p1", *map(window, range(3)))
        self.collect("p2", *map(window, range(3)))
        self.lose("p1", 1)
        self.assertEqual([(window(1), ["p2"])], self.chosen(first=1, last=2))
        self.assertEqual([(window(1), ["p1"])], self.chosen("p1", first=1, last=2))

    def test_window_before_the_first_is_not_chosen(self) -> None:
        self.collect("p1", *map(window, range(3)))
        self.collect("p2", window(1))
        self.assertEqual([(window(1), ["p2"])], self.chosen("p2"))

    def test_part_of_longer_window_is_not_chosen(self) -> None:
        """It would be billed twice."""
        self.collect("p1", *map(window, range(4)))
        self.collect("p2", window(0), window(1, hours=3))
        self.assertEqual([(window(0), ["p2"]), (window(1, hours=3), ["p2"])], self.chosen("p2"))

    def test_late_windows_alone_are_chosen(self) -> None:
        self.collect("p1", *map(window, range(3)))
        late = {"tenant_id": "p1", "start": window(1).start, "end": window(1).end, "samples": 1, "checked": START}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.late_windows), late)
        self.assertEqual([(window(1), ["p1"])], self.chosen(late=True))
        self.assertEqual([(window(1), ["p1"])], self.chosen("p1", late=True))
        self.assertEqual([], self.chosen("p2", late=True))


class ChosenWindowsMySQLTest(ChosenWindowsSQLiteTest):
    BACKEND = databases.MYSQL


class ChosenWindowsPostgreSQLTest(ChosenWindowsSQLiteTest):
    BACKEND = databases.POSTGRESQL
