# SPDX-License-Identifier: Apache-2.0
"""Deletion of old usage and of projects, and new starts, beside collectors."""

import datetime
import functools
import threading
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import deletion
from distil.db import leases
from distil.db import models
from distil.db import project_start
from distil.db import retention
from distil.db.store import Store
from distil.tests.functional.db.test_booking import receipt
from distil.tests.support import databases

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
# More than two batches.
WINDOWS, RESOURCES = 40, 300


class RetentionTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.addCleanup(self.empty)
        self.store = Store(self.engine)
        self.store.register_projects((model.Project(name, name, "d1"), START) for name in ("p1", "p2"))

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(sa.delete(table))

    def collect(self, project: str, first: int, last: int, resources: int = RESOURCES) -> None:
        """Store windows as a collector does."""
        store = self.store.project(project)
        for hour in range(first, last):
            window = model.Window(START + hour * HOUR, START + (hour + 1) * HOUR)
            ids = [f"r{number}" for number in range(resources)]
            usage = [model.Usage("b1", resource, "gigabyte", Decimal(1)) for resource in ids]
            rejected = [model.RejectedSample(project, "m", "r0", "reason", {})]
            store.commit(window, usage, [model.Resource(resource, {}) for resource in ids], rejected)

    def counts(self, project: str) -> dict[str, int]:
        return retention.count_rows(self.engine, project)

    def test_prune_deletes_windows_before_time(self) -> None:
        self.collect("p1", 0, WINDOWS)
        self.collect("p2", 0, 2, resources=1)
        before = START + 38 * HOUR
        old = retention.usage_before(self.engine, before)
        self.assertEqual((38 * RESOURCES + 2, 40, 2, START, before), tuple(old))
        self.assertEqual((38 * RESOURCES, 38), tuple(retention.prune_usage(self.engine, before, ["p1"])))
        self.assertEqual((2, 2, 1, START, START + 2 * HOUR), tuple(retention.usage_before(self.engine, before)))
        self.assertEqual((2, 2), tuple(retention.prune_usage(self.engine, before)))
        counts = self.counts("p1")
        self.assertEqual((2 * RESOURCES, RESOURCES), (counts["usage_entry"], counts["resources"]))
        self.assertEqual(2, counts["rejected_samples"])
        self.collect("p1", WINDOWS, WINDOWS + 1)

    def test_window_stored_meanwhile_is_kept(self) -> None:
        """Of a project that is behind, after its last_collected has been read."""
        self.collect("p1", 0, 2, resources=1)
        read, collected = threading.Event(), threading.Event()

        def execute(_connection: sa.Connection, _cursor: object, statement: str, *_arguments: object) -> None:
            if statement.startswith("SELECT tenants.id, "):
                read.set()

        def check_in(*_arguments: object) -> None:
            if read.is_set() and not collected.is_set():
                collected.set()
                self.collect("p1", 2, 3, resources=1)

        listeners = (("after_cursor_execute", execute), ("checkin", check_in))
        for name, listener in listeners:
            sa.event.listen(self.engine, name, listener)
        retention.prune_usage(self.engine, START + 10 * HOUR, ["p1"])
        for name, listener in listeners:
            sa.event.remove(self.engine, name, listener)
        self.assertTrue(collected.is_set())
        counts = self.counts("p1")
        self.assertEqual((1, 1), (counts["usage_entry"], counts["rejected_samples"]))

    def test_forget_deletes_every_row(self) -> None:
        self.collect("p1", 0, WINDOWS)
        self.collect("p2", 0, 2, resources=1)
        with self.engine.begin() as connection:
            order = {"id": 1, "tenant_id": "p1", "start_at": START, "end_at": START}
            connection.execute(sa.insert(models.sales_orders), order)
        other, before = self.counts("p2"), self.counts("p1")
        self.assertEqual((WINDOWS * RESOURCES, WINDOWS), (before["usage_entry"], before["rejected_samples"]))
        self.assertEqual(before, retention.forget(self.engine, "p1", "operator"))
        self.assertEqual({0}, set(self.counts("p1").values()))
        self.assertEqual(other, self.counts("p2"))
        self.assertEqual([], list(leases.list_leases(self.engine)))

    def test_forget_stops_running_collector(self) -> None:
        """It commits window after window meanwhile, and then no longer can."""
        self.collect("p1", 0, 2, resources=1)
        stored, ended = threading.Event(), threading.Event()

        def collect() -> None:
            for hour in range(2, 2000):
                try:
                    self.collect("p1", hour, hour + 1, resources=1)
                except exceptions.WindowAlreadyCommitted:
                    ended.set()
                    return
                stored.set()

        thread = threading.Thread(target=collect)
        thread.start()
        self.addCleanup(thread.join)
        self.assertTrue(stored.wait(30))
        retention.forget(self.engine, "p1", "operator")
        self.assertTrue(ended.wait(30))
        self.assertEqual({0}, set(self.counts("p1").values()))

    def test_leased_project_is_not_forgotten(self) -> None:
        collector = leases.Leases(self.engine, "collector")
        collector.acquire("p1")
        with self.assertRaisesRegex(exceptions.Refused, "a collector holds the lease of project p1"):
            retention.forget(self.engine, "p1", "operator")
        self.assertEqual({"p1": START}, self.store.last_collected(["p1"]))
        self.assertTrue(collector.renew("p1"))

    def test_newly_collected_rows_are_kept(self) -> None:
        """A collector has registered the project anew between two batches."""
        self.collect("p1", 0, 2, resources=1)
        detached = functools.partial(retention._require_detached, "p1")
        column = models.usage_entry.c
        with self.assertRaisesRegex(exceptions.Refused, "begun to collect project p1 anew"):
            deletion.delete_in_batches(self.engine, column.start, column.tenant_id == "p1", detached)
        self.assertEqual(2, self.counts("p1")["usage_entry"])

    def test_start_can_be_earlier_or_later(self) -> None:
        for at in (START - 5 * HOUR, START + 5 * HOUR):
            before = self.store.last_collected(["p1"])["p1"]
            self.assertEqual(before, project_start.set_start(self.engine, "p1", at, "operator"))
            self.assertEqual(at, self.store.last_collected(["p1"])["p1"])
        self.collect("p1", 5, 6, resources=1)

    def test_dry_run_keeps_start(self) -> None:
        at = START + 5 * HOUR
        self.assertEqual(START, project_start.set_start(self.engine, "p1", at, "operator", dry_run=True))
        self.assertEqual(START, self.store.last_collected(["p1"])["p1"])

    def test_start_before_stored_usage_is_refused(self) -> None:
        self.collect("p1", 0, 3, resources=2)
        with self.assertRaisesRegex(
            exceptions.Refused, "4 usage entries .* from 2026-01-01T01:00:00Z to 2026-01-01T03:00:00Z"
        ):
            project_start.set_start(self.engine, "p1", START + HOUR, "operator")
        self.assertEqual(START + 3 * HOUR, self.store.last_collected(["p1"])["p1"])
        project_start.set_start(self.engine, "p1", START + 3 * HOUR, "operator")

    def test_start_before_rejected_samples_is_refused(self) -> None:
        self.collect("p1", 0, 2, resources=0)
        with self.assertRaisesRegex(exceptions.Refused, "2 rejected samples"):
            project_start.set_start(self.engine, "p1", START, "operator")

    def test_receipts_of_empty_windows_are_kept(self) -> None:
        for revision in range(3):
            window = model.Window(START, START + HOUR)
            self.store.project("p1").commit(window, [], [], [], receipt=receipt([]))
            counts = self.counts("p1")
            self.assertEqual((1, revision), (counts["receipts"], counts["receipt_history"]))
            project_start.set_start(self.engine, "p1", START, "operator")
            self.assertEqual(revision + 1, self.counts("p1")["receipt_history"])
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(models.receipt_history).order_by("revision")).all()
        self.assertEqual([0, 1, 2], [row.revision for row in rows])
        self.assertEqual({("project start", "operator")}, {(row.reason, row.changed_by) for row in rows})

    def test_receipts_are_pruned_with_usage(self) -> None:
        for hour in range(2):
            window = model.Window(START + hour * HOUR, START + (hour + 1) * HOUR)
            self.store.project("p1").commit(window, [], [], [], receipt=receipt([]))
        retention.prune_usage(self.engine, START + HOUR)
        self.assertEqual(1, self.counts("p1")["receipts"])

    def test_missing_start_can_be_set(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(last_collected=None))
        self.assertIsNone(project_start.set_start(self.engine, "p1", START, "operator"))
        self.collect("p1", 0, 1, resources=1)


class RetentionMySQLTest(RetentionTest):
    BACKEND = databases.MYSQL


class RetentionPostgreSQLTest(RetentionTest):
    BACKEND = databases.POSTGRESQL
