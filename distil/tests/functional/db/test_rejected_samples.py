# SPDX-License-Identifier: Apache-2.0
"""Rejected samples are billed once when reprocessed, on every backend."""

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import engine as db_engine
from distil.db import rejected_samples
from distil.db import store
from distil.db import stored_windows
from distil.db.booking import RejectedSamplesBilling
from distil.db.receipt_history import Change
from distil.db.rejected_samples import RejectedSampleFilter
from distil.db.stored_windows import StoredWindow
from distil.tests.functional.db.test_races import THREADS
from distil.tests.functional.db.test_races import at_once
from distil.tests.support import commit_proxy
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
WINDOW = model.Window(START, START + HOUR)
NEXT = model.Window(WINDOW.end, WINDOW.end + HOUR)


class _RejectedSamplesTestCase(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)
        self.project_id = uuid.uuid4().hex
        self.store.register_projects([(model.Project(self.project_id, "n", "d"), START)])
        self.reject(WINDOW, ("m1", "r1"), ("m2", "r1"), ("m1", "r2"), ("m1", None))
        self.before = stored_windows.read(self.engine, [self.project_id], WINDOW)[self.project_id]

    def reject(self, window: model.Window, *samples: tuple[str, str | None]) -> None:
        rejected_samples = [
            model.RejectedSample(self.project_id, meter, resource_id, "no", {"n": number})
            for number, (meter, resource_id) in enumerate(samples)
        ]
        self.store.project(self.project_id).commit(
            window, [], [model.Resource("r1", {"name": "new"})], rejected_samples
        )

    def samples(
        self, sample_filter: RejectedSampleFilter | None = None, window: model.Window = WINDOW
    ) -> list[rejected_samples.StoredRejectedSample]:
        return rejected_samples.list_with_same_resources(
            self.engine, sample_filter or RejectedSampleFilter(), self.project_id, window
        )

    def bill(self, sample_ids: Sequence[int], window: model.Window = WINDOW, engine: sa.Engine | None = None) -> None:
        usage = [model.Usage("s", "r1", "u", Decimal("0.5")), model.Usage("s", "r2", "u", Decimal(2))]
        resources = [model.Resource("r1", {"name": "old", "size": 1}), model.Resource("r2", {"name": "second"})]
        before = self.before if window == WINDOW else StoredWindow(self.project_id, window, (), None)
        change = Change("rejected retry", "tester")
        RejectedSamplesBilling(engine or self.engine, before, change, usage, resources, sample_ids, 3).commit()

    def stored(self) -> list[model.Usage]:
        return list(stored_windows.read(self.engine, [self.project_id], WINDOW)[self.project_id].usage)


class TestRejectedSamplesSQLite(_RejectedSamplesTestCase):
    def test_get_returns_stored_sample(self) -> None:
        (first, *_) = self.samples()
        self.assertEqual(first, rejected_samples.get(self.engine, first.id))
        self.assertEqual(("m1", "r1", "no", '{"n": 0}'), (first.meter, first.resource_id, first.reason, first.sample))
        self.assertEqual((self.project_id, WINDOW), (first.project_id, first.window))

    def test_unknown_sample_raises_not_found(self) -> None:
        with self.assertRaises(exceptions.NotFound):
            rejected_samples.get(self.engine, 10**9)

    def test_selection_includes_same_resource_and_window(self) -> None:
        self.reject(NEXT, ("m1", "r1"))
        all_samples = self.samples()
        self.assertEqual(4, len(all_samples))
        self.assertEqual(all_samples[:2], self.samples(RejectedSampleFilter(ids=[all_samples[0].id])))
        self.assertEqual(all_samples[:2], self.samples(RejectedSampleFilter(meters=["m2"])))
        self.assertEqual(all_samples[3:], self.samples(RejectedSampleFilter(ids=[all_samples[3].id])))

    def test_windows_are_unique_and_ordered(self) -> None:
        self.reject(NEXT, ("m1", "r1"))
        of_project = RejectedSampleFilter(projects=[self.project_id])
        self.assertEqual(
            [(self.project_id, WINDOW), (self.project_id, NEXT)], rejected_samples.list_windows(self.engine, of_project)
        )
        later = RejectedSampleFilter(projects=[self.project_id], start=WINDOW.end)
        self.assertEqual([(self.project_id, NEXT)], rejected_samples.list_windows(self.engine, later))
        earlier = RejectedSampleFilter(projects=[self.project_id], end=WINDOW.end)
        self.assertEqual([(self.project_id, WINDOW)], rejected_samples.list_windows(self.engine, earlier))

    def test_billing_stores_usage_and_deletes_samples(self) -> None:
        ids = [sample.id for sample in self.samples()]
        self.bill(ids[:3])
        self.assertEqual(
            {("r1", Decimal("0.5")), ("r2", Decimal(2))}, {(u.resource_id, u.volume) for u in self.stored()}
        )
        self.assertEqual(ids[3:], [sample.id for sample in self.samples()])

    def test_billing_adds_only_missing_keys(self) -> None:
        self.bill([])
        expected = {"r1": {"name": "new", "size": 1}, "r2": {"name": "second"}}
        self.assertEqual(expected, self.store.project(self.project_id).resource_info(["r1", "r2"]))

    def test_concurrent_collector_keeps_added_info(self) -> None:
        collecting = self.store.project(self.project_id)
        collecting.resource_info(["r1"])
        self.bill([])
        collecting.commit(NEXT, [], [model.Resource("r1", {"name": "newer"})], [])
        self.assertEqual({"name": "newer", "size": 1}, collecting.resource_info(["r1"])["r1"])
        self.assertEqual(collecting.resource_info(["r1"]), self.store.project(self.project_id).resource_info(["r1"]))

    def test_uncollected_window_raises(self) -> None:
        with self.assertRaisesRegex(exceptions.Refused, "not been collected"):
            self.bill([], NEXT)

    def test_unknown_project_raises(self) -> None:
        self.before = self.before._replace(project_id="")
        with self.assertRaises(exceptions.Refused):
            self.bill([])

    def test_missing_samples_raise_and_store_nothing(self) -> None:
        ids = [sample.id for sample in self.samples()]
        with self.assertRaisesRegex(exceptions.ReprocessingRefused, "another process"):
            self.bill([*ids, 10**9])
        self.assertEqual(([], ids), (self.stored(), [sample.id for sample in self.samples()]))

    def test_billed_usage_raises_and_keeps_samples(self) -> None:
        ids = [sample.id for sample in self.samples()]
        self.bill([])
        before = self.stored()
        with self.assertRaisesRegex(exceptions.WindowChanged, "another process"):
            self.bill(ids)
        self.assertEqual((before, ids), (self.stored(), [sample.id for sample in self.samples()]))

    def test_concurrent_billing_succeeds_once(self) -> None:
        ids = [sample.id for sample in self.samples()]
        outcomes = at_once(lambda _: self.bill(ids))
        self.assertEqual(1, outcomes.count(None), outcomes)
        self.assertEqual(THREADS - 1, sum(isinstance(item, exceptions.WindowChanged) for item in outcomes), outcomes)
        self.assertEqual((2, []), (len(self.stored()), self.samples()))

    def test_billing_does_not_block_collector(self) -> None:
        ids = [sample.id for sample in self.samples()]

        def work(number: int) -> None:
            if number:
                self.bill(ids[number - 1 : number] if number == 1 else [], WINDOW)
            else:
                self.store.project(self.project_id).commit(NEXT, [], [], [])

        outcomes = at_once(work)
        self.assertIsNone(outcomes[0])
        self.assertEqual(1, outcomes[1:].count(None), outcomes)
        self.assertEqual({self.project_id: NEXT.end}, self.store.last_collected([self.project_id]))


class TestRejectedSamplesMySQL(TestRejectedSamplesSQLite):
    BACKEND = databases.MYSQL


class TestRejectedSamplesPostgreSQL(TestRejectedSamplesSQLite):
    BACKEND = databases.POSTGRESQL


class TestLostBillingCommitMySQL(_RejectedSamplesTestCase):
    BACKEND = databases.MYSQL

    def bill_through(self, *, deliver: bool) -> None:
        url = sa.make_url(self.url)
        cutter = commit_proxy.CommitDroppingProxy((url.host or "localhost", url.port or 3306), deliver=deliver)
        self.addCleanup(cutter.close)
        proxied = url.set(host="127.0.0.1", port=cutter.port).render_as_string(hide_password=False)
        engine = db_engine.create_engine(proxied)
        self.addCleanup(engine.dispose)
        cutter.armed.set()
        try:
            self.bill([sample.id for sample in self.samples()], engine=engine)
        finally:
            self.assertTrue(cutter.dropped.is_set())

    def test_lost_reply_keeps_commit(self) -> None:
        self.bill_through(deliver=True)
        self.assertEqual((2, []), (len(self.stored()), self.samples()))

    def test_undelivered_commit_raises_and_is_retryable(self) -> None:
        with self.assertRaises(exceptions.StoreError):
            self.bill_through(deliver=False)
        self.assertEqual((0, 4), (len(self.stored()), len(self.samples())))
        self.bill([sample.id for sample in self.samples()])
        self.assertEqual((2, []), (len(self.stored()), self.samples()))
