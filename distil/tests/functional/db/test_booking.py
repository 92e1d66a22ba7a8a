# SPDX-License-Identifier: Apache-2.0
"""Collected windows are changed as a whole, and keep what they had, on every backend."""

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from distil import digest
from distil import exceptions
from distil import model
from distil.db import booking
from distil.db import engine as db_engine
from distil.db import models
from distil.db import store
from distil.db import stored_windows
from distil.db.receipt_history import Change
from distil.db.receipts import NewReceipt
from distil.db.stored_windows import StoredWindow
from distil.tests.functional.db.test_races import THREADS
from distil.tests.functional.db.test_races import at_once
from distil.tests.support import commit_proxy
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))
CHANGE = Change("samples came late", "alice@controller")
COLLECTED_BY = model.CollectedBy("ceilometer/RegionOne", "default", "rules")
OLD = [model.Usage("s", "kept", "u", Decimal(1)), model.Usage("s", "gone", "u", Decimal(2))]
OLD += [model.Usage("s", "changed", "u", Decimal(3)), model.Usage("s", "unit", "u", Decimal(4))]
NEW = [OLD[0], model.Usage("s", "changed", "u", Decimal("3.0000000001")), model.Usage("s", "unit", "U", Decimal(4))]
NEW += [model.Usage("s", "new", "u", Decimal(5))]
DAY_AGO = datetime.timedelta(days=1)


def receipt(usage: Sequence[model.Usage], samples: str = "1:old", rejected: int = 0) -> NewReceipt:
    contents = model.Receipt(
        samples=9,
        used=5,
        untrusted=0,
        duplicates=0,
        rejected=rejected,
        entries=len(usage),
        meters={"m": model.MeterCount(9, 3, "u")},
        samples_digest=samples,
        usage_digest=digest.usage_digest(usage),
    )
    return NewReceipt(contents, 1, 2)


class _BookingTestCase(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)
        self.project_id = uuid.uuid4().hex
        self.store.register_projects([(model.Project(self.project_id, "n", "d"), START)])
        rejected = [model.RejectedSample(self.project_id, "m", f"r{number}", "no", {}) for number in range(2)]
        resources = [model.Resource(entry.resource_id, {"name": "stored"}) for entry in OLD]
        self.store.project(self.project_id, COLLECTED_BY).commit(
            WINDOW, OLD, resources, rejected, receipt=receipt(OLD, rejected=2)
        )
        self.created = self.age()
        self.before = self.read()

    def age(self) -> datetime.datetime:
        """Have the entries look as if they had been stored a day ago, and return when."""
        created = START - DAY_AGO
        with self.engine.begin() as connection:
            table = models.usage_entry
            connection.execute(sa.update(table).filter_by(tenant_id=self.project_id).values(created=created))
        return created

    def read(self) -> StoredWindow:
        return stored_windows.read(self.engine, [self.project_id], WINDOW)[self.project_id]

    def recollect(
        self,
        usage: Sequence[model.Usage] = NEW,
        before: StoredWindow | None = None,
        engine: sa.Engine | None = None,
        asked: datetime.datetime | None = None,
    ) -> None:
        contents = booking.NewContents(
            usage=usage,
            resources=[model.Resource(entry.resource_id, {"name": "late", "size": 1}) for entry in usage],
            rejected=[model.RejectedSample(self.project_id, "m", "r9", "still no", {})],
            receipt=receipt(usage, samples="1:new", rejected=1),
            collector=COLLECTED_BY._replace(collector="other"),
            asked=asked or datetime.datetime.now(datetime.UTC),
        )
        booking.Recollection(engine or self.engine, before or self.before, CHANGE, contents).commit()

    def rows(self, table: sa.Table) -> list[Any]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(table).filter_by(tenant_id=self.project_id)).all()
        return sorted(rows, key=lambda row: getattr(row, "resource_id", ""))

    def add_late(self, checked: datetime.datetime) -> None:
        row = {"tenant_id": self.project_id, "start": WINDOW.start, "end": WINDOW.end, "samples": 9, "checked": checked}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.late_windows), row)

    def delete_receipt(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(models.receipts).filter_by(tenant_id=self.project_id))
        self.before = self.read()

    def assert_unchanged(self) -> None:
        self.assertEqual(self.before, self.read())
        self.assertEqual(([], []), (self.rows(models.usage_history), self.rows(models.receipt_history)))


class TestBookingSQLite(_BookingTestCase):
    def test_changed_entries_are_replaced_and_kept(self) -> None:
        self.recollect()
        self.assertEqual(set(NEW), set(self.read().usage))
        history = self.rows(models.usage_history)
        self.assertEqual(["changed", "gone", "unit"], [row.resource_id for row in history])
        for row in history:
            self.assertEqual((0, *CHANGE), (row.revision, row.reason, row.changed_by))
            self.assertEqual((self.created, WINDOW.start, WINDOW.end), (row.created, row.start, row.end))
        self.assertEqual({"gone": 2, "changed": 3, "unit": 4}, {row.resource_id: row.volume for row in history})
        self.assertEqual([self.created], [row.created for row in self.rows(models.usage_entry) if row.volume == 1])

    def test_receipt_gets_next_revision(self) -> None:
        self.recollect()
        (old,) = self.rows(models.receipt_history)
        (new,) = self.rows(models.receipts)
        self.assertEqual((0, "1:old", 2, *CHANGE), (old.revision, old.samples_digest, old.rejected, *old[-3:-1]))
        self.assertEqual((1, "1:new", 1, "other"), (new.revision, new.samples_digest, new.rejected, new.collector))
        self.assertEqual(digest.usage_digest(NEW), new.usage_digest)

    def test_rejected_samples_are_replaced(self) -> None:
        self.recollect()
        self.assertEqual(["r9"], [row.resource_id for row in self.rows(models.rejected_samples)])

    def test_stored_info_stays(self) -> None:
        self.recollect()
        info = self.store.project(self.project_id).resource_info(["gone", "kept", "new"])
        both = {"name": "stored", "size": 1}
        self.assertEqual({"gone": {"name": "stored"}, "kept": both, "new": {"name": "late", "size": 1}}, info)

    def test_unrecorded_window_gets_receipt(self) -> None:
        self.delete_receipt()
        self.recollect()
        self.assertEqual([1], [row.revision for row in self.rows(models.receipts)])
        self.assertEqual({0}, {row.revision for row in self.rows(models.usage_history)})
        self.assertEqual([], self.rows(models.receipt_history))

    def test_changed_window_is_refused(self) -> None:
        self.recollect()
        after = self.read()
        with self.assertRaises(exceptions.WindowChanged):
            self.recollect()
        self.assertEqual(after, self.read())

    def test_entry_changed_by_hand_is_refused(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.usage_entry).filter_by(resource_id="kept").values(volume=7))
        with self.assertRaises(exceptions.WindowChanged):
            self.recollect()

    def test_window_after_last_collected_is_refused(self) -> None:
        following = model.Window(WINDOW.end, WINDOW.end + (WINDOW.end - WINDOW.start))
        with self.assertRaisesRegex(exceptions.Refused, "not been collected"):
            self.recollect(before=StoredWindow(self.project_id, following, (), None))
        self.assert_unchanged()

    def test_closed_period_is_refused(self) -> None:
        row = {"name": "p", "start": START, "end": WINDOW.end, "closing": START, "closed_by": "bob", "previous": ""}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.periods), row)
        self.addCleanup(self.open_period)
        with self.assertRaisesRegex(exceptions.Refused, "closed"):
            self.recollect()
        self.assert_unchanged()

    def open_period(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(models.periods))

    def test_late_mark_is_deleted(self) -> None:
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self.add_late(now)
        self.recollect(asked=now)
        self.assertEqual([], self.rows(models.late_windows))

    def test_late_mark_set_meanwhile_stays(self) -> None:
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self.add_late(now)
        self.recollect(asked=now - datetime.timedelta(seconds=1))
        self.assertEqual(1, len(self.rows(models.late_windows)))

    def test_concurrent_change_succeeds_once(self) -> None:
        outcomes = at_once(lambda _: self.recollect())
        self.assertEqual(1, outcomes.count(None), outcomes)
        self.assertEqual(THREADS - 1, sum(isinstance(item, exceptions.WindowChanged) for item in outcomes), outcomes)
        self.assertEqual((3, 1), (len(self.rows(models.usage_history)), len(self.rows(models.receipt_history))))

    def test_billing_renews_receipt(self) -> None:
        self.bill()
        after = self.read()
        assert after.receipt is not None
        self.assertEqual(digest.usage_digest(after.usage), after.receipt.contents.usage_digest)
        contents = after.receipt.contents
        self.assertEqual((1, 5, 1, 6), (after.revision, contents.entries, contents.rejected, contents.used))
        (old,) = self.rows(models.receipt_history)
        self.assertEqual(("rejected retry", "bob", 0), (old.reason, old.changed_by, old.revision))
        self.assertEqual([], self.rows(models.usage_history))

    def test_billing_leaves_window_unrecorded(self) -> None:
        self.delete_receipt()
        self.bill()
        self.assertEqual((5, None), (len(self.read().usage), self.read().receipt))

    def bill(self) -> None:
        ids = [row.id for row in self.rows(models.rejected_samples)][:1]
        usage = [model.Usage("s", "billed", "u", Decimal(9))]
        resources, change = [model.Resource("billed", {})], Change("rejected retry", "bob")
        booking.RejectedSamplesBilling(self.engine, self.before, change, usage, resources, ids, 1).commit()


class TestBookingMySQL(TestBookingSQLite):
    BACKEND = databases.MYSQL


class TestBookingPostgreSQL(TestBookingSQLite):
    BACKEND = databases.POSTGRESQL


class TestLostBookingMySQL(_BookingTestCase):
    BACKEND = databases.MYSQL
    PORT = 3306

    def recollect_through(self, *, deliver: bool) -> None:
        url = sa.make_url(self.url)
        cutter = commit_proxy.CommitDroppingProxy((url.host or "localhost", url.port or self.PORT), deliver=deliver)
        self.addCleanup(cutter.close)
        # Without encryption, so that the proxy can read COMMIT.
        unencrypted = {"sslmode": "disable", "gssencmode": "disable"} if self.BACKEND == databases.POSTGRESQL else {}
        proxied = url.set(host="127.0.0.1", port=cutter.port).update_query_dict(unencrypted)
        engine = db_engine.create_engine(proxied.render_as_string(hide_password=False))
        self.addCleanup(engine.dispose)
        cutter.armed.set()
        try:
            self.recollect(engine=engine)
        finally:
            self.assertTrue(cutter.dropped.is_set())

    def test_lost_reply_keeps_change(self) -> None:
        self.recollect_through(deliver=True)
        self.assertEqual((set(NEW), 1), (set(self.read().usage), self.read().revision))

    def test_lost_reply_of_unrecorded_window_keeps_change(self) -> None:
        self.delete_receipt()
        self.recollect_through(deliver=True)
        self.assertEqual((set(NEW), 1), (set(self.read().usage), self.read().revision))

    def test_undelivered_change_raises_and_is_repeatable(self) -> None:
        with self.assertRaises(exceptions.StoreError):
            self.recollect_through(deliver=False)
        self.assert_unchanged()
        self.recollect()
        self.assertEqual((set(NEW), 1), (set(self.read().usage), self.read().revision))


class TestLostBookingPostgreSQL(TestLostBookingMySQL):
    BACKEND = databases.POSTGRESQL
    PORT = 5432
