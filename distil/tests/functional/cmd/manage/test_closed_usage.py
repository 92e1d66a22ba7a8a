# SPDX-License-Identifier: Apache-2.0
"""No command changes the usage of a closed period, unless it is pruned on purpose."""

import datetime
from decimal import Decimal

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.db import periods
from distil.db.closing import PeriodClosing
from distil.db.store import Store
from distil.tests.functional.cmd.manage.test_closed_periods import receipt
from distil.tests.support import databases
from distil.tests.support import manage

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
USAGE = [model.Usage("s", "r", "u", Decimal("1.5"))]


class ClosedUsageMySQLTest(manage.ManageTestCase):
    BACKEND = databases.MYSQL

    def setUp(self) -> None:
        super().setUp()
        store = Store(self.engine)
        store.register_projects([(model.Project("p1", "n", "d"), START)])
        for number, usage in enumerate((USAGE, [])):
            window = model.Window(START + number * HOUR, START + (number + 1) * HOUR)
            resources = [model.Resource("r", {})]
            store.project("p1").commit(window, usage, resources, [], receipt=receipt(usage))
        PeriodClosing(self.engine, "first", model.Window(START, START + 2 * HOUR), "alice@host", {}).run()

    def entries(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(models.usage_entry)) or 0

    def test_prune_needs_option(self) -> None:
        for options in ((), ("--dry-run",)):
            message = self.error("usage", "prune", "--before", "2026-02-01", *options)
            self.assertIn("closed periods (first), whose usage is never changed; use --closed-periods", message)
        self.assertEqual(1, self.entries())

    def test_part_of_period_is_not_pruned(self) -> None:
        message = self.error("usage", "prune", "--before", "2026-01-01T01:00", "--closed-periods")
        self.assertIn("only a part of period first", message)
        self.assertEqual(1, self.entries())

    def test_older_usage_is_pruned(self) -> None:
        self.rows("usage", "prune", "--before", "2026-01-01")

    def test_pruned_period_is_marked(self) -> None:
        self.assertEqual(1, self.rows("usage", "prune", "--before", "2026-02-01", "--closed-periods")["usage_entries"])
        self.assertEqual(0, self.entries())
        (stored,) = periods.list_periods(self.engine)
        self.assertIsNotNone(stored.pruned)
        (found,) = self.rows("period", "verify", "first")
        self.assertEqual("pruned", found["result"])
        self.rows("project", "forget", "p1", "--force")

    def test_project_is_not_forgotten(self) -> None:
        for options in ((), ("--dry-run",)):
            message = self.error("project", "forget", "p1", "--force", *options)
            self.assertIn("windows in closed periods (first)", message)
            self.assertIn("usage prune --closed-periods", message)
        self.assertEqual(1, self.entries())

    def test_windows_are_not_collected_again(self) -> None:
        """Also not one without usage, of which the receipt would be replaced."""
        message = self.error("project", "start", "p1", "--at", "2026-01-01T01:00")
        self.assertIn("in closed periods (first), which are never collected again", message)


class ClosedUsagePostgreSQLTest(ClosedUsageMySQLTest):
    BACKEND = databases.POSTGRESQL
