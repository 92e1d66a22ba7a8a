# SPDX-License-Identifier: Apache-2.0
"""The dispatcher beside other collectors."""

import contextlib
import datetime
import threading
import time
import uuid
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator

import sqlalchemy as sa
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import model
from distil.cloud.os_distro import OsDistros
from distil.cloud.outage import OutageDetector
from distil.collector.dispatcher import Dispatcher
from distil.collector.due import Allowance
from distil.collector.due import DueProject
from distil.collector.due import WindowRange
from distil.collector.guard import MeterGuard
from distil.collector.origin import Origin
from distil.collector.plan import Plan
from distil.collector.project_batch import BatchCollector
from distil.collector.project_batch import Leftover
from distil.collector.retrying import RetryPolicy
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.collector.window import WindowCollector
from distil.coordination.leases import Claim
from distil.coordination.leases import LeasePartitioner
from distil.coordination.leases import Partitioner
from distil.db import models
from distil.db import store
from distil.db.documents import Documents
from distil.db.leases import Leases
from distil.db.previous_meters import PreviousMeters
from distil.monitoring.history import History
from distil.monitoring.metrics import Metrics
from distil.monitoring.run import RunMonitor
from distil.rating import sample_parser
from distil.rating.rate import RatingRules
from distil.telemetry.driver import TelemetryDriver
from distil.tests.support import builders
from distil.tests.support import databases
from distil.transformers.lookups import Lookups

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class Telemetry(TelemetryDriver):
    """Has one sample for each of some times. Calls back during each request, and keeps the requests."""

    def __init__(self, on_request: Callable[[str, datetime.datetime], None]) -> None:
        super().__init__(ks_session.Session(), None, "public")
        self.asked: list[tuple[str, datetime.datetime]] = []
        self.sampled: list[datetime.datetime] = []
        self._on_request = on_request

    def samples(
        self,
        projects: Collection[str],
        _meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample]:
        for project_id in projects:
            self.asked.append((project_id, start))
            self._on_request(project_id, start)
        times = [time for time in self.sampled if start <= time < end]
        documents = [builders.document(timestamp=time.isoformat()) for time in times]
        for project_id in projects:
            for document in documents:
                sample = sample_parser.parse_sample({**document, "project_id": project_id}, project_id, builders.METER)
                assert isinstance(sample, model.Sample)
                yield sample


class NoOsDistros(OsDistros):
    """Knows no operating system, and asks no service."""

    def __init__(self) -> None:
        """Nothing."""

    def os_distro(self, server_id: str, image_ref_url: object) -> str:
        return ""


class SilentStore(store.Store):
    """Of a database that does not respond."""

    def now(self) -> datetime.datetime:
        raise exceptions.StoreError("no response")


class RefusingPartitioner(LeasePartitioner):
    """Fails to claim any project, and counts the attempts."""

    attempts = 0

    @contextlib.contextmanager
    def claim(self, _project_id: str, _due: datetime.datetime) -> Iterator[Claim]:
        self.attempts += 1
        raise exceptions.StoreError("could not acquire the lease")
        yield


class CountingProgress:
    def __init__(self) -> None:
        self.advanced = 0

    def expect(self, windows: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        self.advanced += 1


def windows(count: int = 2) -> WindowRange:
    return WindowRange(START, HOUR, count)


class DispatcherTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)
        self.projects = [model.Project(f"{number}-{uuid.uuid4().hex}", "n", "d") for number in range(3)]
        self.store.register_projects((project, START) for project in self.projects)
        self.other = Leases(self.engine, f"other-{uuid.uuid4().hex}")
        self.addCleanup(self.other.release_all)

    def dispatcher(
        self,
        on_request: Callable[[str, datetime.datetime], None] = lambda *_: None,
        length: float = 300,
        partitioner: Partitioner | None = None,
    ) -> Dispatcher:
        self.shutdown = Shutdown()
        self.metrics = Metrics({"distil": "0"})
        self.progress = CountingProgress()
        self.monitor = RunMonitor(self.metrics, History("default", "0", HOUR, START), lambda: START)
        owner = f"mine-{uuid.uuid4().hex}"
        leases = Leases(self.engine, owner, length, on_takeover=self.metrics.leases_taken_over.inc)
        partitioner = partitioner or LeasePartitioner(leases, self.metrics)
        self.telemetry = Telemetry(on_request)
        fetcher = SampleFetcher(
            self.telemetry,
            (),
            self.shutdown,
            OutageDetector("telemetry", exceptions.TelemetryError, self.shutdown.event),
        )
        retry_policy = RetryPolicy(self.shutdown, self.monitor)
        guard = MeterGuard(PreviousMeters(self.engine), projects=0, patience=1)
        windows = WindowCollector(
            fetcher=fetcher,
            rules=RatingRules((), ()),
            rules_document="{}",
            documents=Documents(self.engine),
            lookups=Lookups(),
            os_distros=NoOsDistros(),
            partitioner=partitioner,
            monitor=self.monitor,
            retry_policy=retry_policy,
            shutdown=self.shutdown,
            plan=Plan(),
            guard=guard,
        )
        self.batches = BatchCollector(
            fetcher=fetcher,
            windows=windows,
            store=self.store,
            partitioner=partitioner,
            monitor=self.monitor,
            retry_policy=retry_policy,
            origin=Origin(self.telemetry, "fake", "default", "0"),
            outages=OutageDetector("the database", exceptions.StoreError, self.shutdown.event, patience=0),
            guard=guard,
        )
        return Dispatcher(batches=self.batches, fetcher=fetcher, concurrency=1, shutdown=self.shutdown, guard=guard)

    def run_dispatcher(
        self, dispatcher: Dispatcher, timeout: float = 0, count: int = 2, limit: int | None = None
    ) -> set[str]:
        due = [DueProject(project, windows(count), count if limit is None else limit) for project in self.projects]
        with self.monitor.run(self.progress):
            return dispatcher.run(due, timeout)

    def run_dispatcher_again(self, dispatcher: Dispatcher) -> None:
        """Collect the second window of each project, and the first ones that are left."""
        due = [
            DueProject(project, windows(2).after(collected), 2)
            for project, collected in zip(self.projects, self.collected(), strict=True)
        ]
        with self.monitor.run():
            dispatcher.run(due, timeout=0)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"distil_collector_{name}", labels)

    def commit(self, project: model.Project, window: model.Window) -> None:
        """As another collector."""
        self.store.project(project.id).commit(window, [], [], [])

    def collected(self) -> list[datetime.datetime]:
        collected = self.store.last_collected([project.id for project in self.projects])
        return [collected[project.id] for project in self.projects]

    def leased(self) -> int:
        query = sa.select(sa.func.count()).select_from(models.project_locks)
        ids = [project.id for project in self.projects]
        with self.engine.connect() as connection:
            return connection.scalar(query.where(models.project_locks.c.project_id.in_(ids))) or 0

    def expire(self, project: model.Project) -> None:
        statement = sa.update(models.project_locks).where(models.project_locks.c.project_id == project.id)
        with self.engine.begin() as connection:
            connection.execute(statement.values(expires=START))

    def test_run_collects_everything_and_releases_leases(self) -> None:
        dispatcher = self.dispatcher(
            on_request=lambda *_: self.assertTrue(0 < self.leased() == self.value("leases_held"))
        )
        self.run_dispatcher(dispatcher)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual((6, set()), (self.monitor.result.windows, set(self.monitor.failures)))
        self.assertEqual(6, self.progress.advanced)
        self.assertEqual((0, 0), (self.leased(), self.value("leases_held")))

    def test_empty_windows_do_not_count(self) -> None:
        dispatcher = self.dispatcher()
        self.telemetry.sampled = [START + 60.5 * HOUR, START + 70.5 * HOUR]
        self.run_dispatcher(dispatcher, count=80, limit=1)
        self.assertEqual([START + 61 * HOUR] * 3, self.collected())
        self.assertLess(len(self.telemetry.asked), 3 * 10)
        self.run_dispatcher(dispatcher, count=80, limit=9)
        self.assertEqual([START + 80 * HOUR] * 3, self.collected())

    def test_windows_with_samples_are_limited(self) -> None:
        dispatcher = self.dispatcher()
        self.telemetry.sampled = [START + (hour + 0.5) * HOUR for hour in range(20)]
        self.run_dispatcher(dispatcher, count=20, limit=2)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertGreater(START + 2 * HOUR, max(start for _, start in self.telemetry.asked))

    def test_empty_windows_are_bounded(self) -> None:
        dispatcher = self.dispatcher()
        due = [DueProject(project, windows(20), 2) for project in self.projects]
        self.assertEqual(Leftover([], []), self.batches.collect(due, Allowance(7)))
        self.assertEqual(3 * 2 + 7, self.monitor.result.windows)
        self.assertEqual(set(), self.run_dispatcher(dispatcher, count=20, limit=1))
        self.assertEqual([START + 20 * HOUR] * 3, self.collected())

    def test_failed_project_is_collected_last(self) -> None:
        """And alone: it may be why the others of its request fail, or why the service answers nothing any more."""
        failing, *others = [project.id for project in self.projects]

        def on_request(project_id: str, _start: datetime.datetime) -> None:
            if project_id == failing:
                raise exceptions.TelemetryError("HTTP 500")

        dispatcher = self.dispatcher(on_request)
        self.run_dispatcher(dispatcher, count=1)
        self.telemetry.asked.clear()
        self.run_dispatcher_again(dispatcher)
        self.assertEqual(others, [project_id for project_id, _ in self.telemetry.asked[:2]])
        self.assertEqual({failing}, {project_id for project_id, _ in self.telemetry.asked[2:]})
        self.assertEqual([START, START + 2 * HOUR, START + 2 * HOUR], self.collected())

    def test_held_project_is_skipped(self) -> None:
        self.other.acquire(self.projects[1].id)
        dispatcher = self.dispatcher()
        self.assertEqual({self.projects[1].id}, self.run_dispatcher(dispatcher))
        self.assertEqual([START + 2 * HOUR, START, START + 2 * HOUR], self.collected())
        self.assertEqual(set(), set(self.monitor.failures))
        self.assertEqual(1, self.leased())

    def test_released_project_is_collected_last(self) -> None:
        self.other.acquire(self.projects[0].id)
        self.run_dispatcher(self.dispatcher(on_request=lambda *_: self.other.release_all()))
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual(self.projects[0].id, self.telemetry.asked[-1][0])

    def test_expired_lease_is_taken_over(self) -> None:
        self.other.acquire(self.projects[0].id)
        self.expire(self.projects[0])
        self.assertEqual(set(), self.run_dispatcher(self.dispatcher()))
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual((1, 0), (self.value("leases_taken_over_total"), self.value("leases_lost_total")))

    def test_window_committed_elsewhere_is_skipped(self) -> None:
        def on_request(project_id: str, start: datetime.datetime) -> None:
            if (project_id, start) == (self.projects[0].id, START):
                self.commit(self.projects[1], windows()[0])

        dispatcher = self.dispatcher(on_request)
        self.run_dispatcher(dispatcher)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertNotIn((self.projects[1].id, START), self.telemetry.asked)
        self.assertEqual((5, 6), (self.monitor.result.windows, self.progress.advanced))

    def test_commit_conflict_does_not_fail_project(self) -> None:
        def on_request(project_id: str, start: datetime.datetime) -> None:
            if (project_id, start) == (self.projects[0].id, START):
                self.commit(self.projects[0], windows()[0])

        dispatcher = self.dispatcher(on_request)
        self.run_dispatcher(dispatcher)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual((5, set()), (self.monitor.result.windows, set(self.monitor.failures)))

    def test_lost_lease_prevents_next_window(self) -> None:
        """The lease is so short that after a while each attempt renews it."""

        def on_request(project_id: str, _start: datetime.datetime) -> None:
            if project_id == self.projects[0].id:
                self.expire(self.projects[0])
                self.assertTrue(self.other.acquire(project_id))
                time.sleep(0.2)

        dispatcher = self.dispatcher(on_request, length=1)
        self.run_dispatcher(dispatcher)
        self.assertEqual([START + HOUR, START + 2 * HOUR, START + 2 * HOUR], self.collected())
        self.assertEqual(1, self.value("leases_lost_total"))
        self.assertEqual(set(), set(self.monitor.failures))
        self.assertEqual(1, self.leased())

    def test_waits_until_other_collector_finishes(self) -> None:
        self.other.acquire(self.projects[0].id)

        def work() -> None:
            for window in windows(3):
                time.sleep(0.8)
                self.commit(self.projects[0], window)
            self.other.release_all()

        dispatcher = self.dispatcher()
        other = threading.Thread(target=work)
        other.start()
        self.run_dispatcher(dispatcher, timeout=60, count=3)
        other.join()
        self.assertEqual([START + 3 * HOUR] * 3, self.collected())
        self.assertEqual((6, 9), (self.monitor.result.windows, self.progress.advanced))

    def test_wait_times_out_without_progress(self) -> None:
        self.other.acquire(self.projects[0].id)
        started = time.monotonic()
        dispatcher = self.dispatcher()
        self.run_dispatcher(dispatcher, timeout=2)
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(START, self.collected()[0])
        self.assertEqual(set(), set(self.monitor.failures))

    def test_shutdown_interrupts_wait(self) -> None:
        self.other.acquire(self.projects[0].id)
        dispatcher = self.dispatcher()
        threading.Timer(1, self.shutdown.event.set).start()
        with self.assertRaises(exceptions.ShutdownRequested):
            self.run_dispatcher(dispatcher, timeout=60)

    def test_lease_failure_fails_only_its_project(self) -> None:
        """The row of the first project's lease cannot be inserted."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON project_locks "
                f"WHEN NEW.project_id = '{self.projects[0].id}' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        self.addCleanup(self._drop_trigger)
        dispatcher = self.dispatcher()
        self.run_dispatcher(dispatcher)
        self.assertEqual({self.projects[0].id}, set(self.monitor.failures))
        self.assertEqual([START, START + 2 * HOUR, START + 2 * HOUR], self.collected())
        self.assertEqual(
            (2, 1), (self.value("retries_total", step="take"), self.value("windows_total", outcome="failed"))
        )

    def test_silent_database_is_asked_by_one_project(self) -> None:
        self.store = SilentStore(self.engine)
        partitioner = RefusingPartitioner(Leases(self.engine, "mine"), Metrics({"distil": "0"}))
        dispatcher = self.dispatcher(partitioner=partitioner)
        with self.assertLogs("distil.collector.project_batch", "DEBUG") as logs:
            self.run_dispatcher(dispatcher)
        self.assertEqual(3, partitioner.attempts)
        reason = "the database answers no request: no response"
        self.assertEqual({project.id: reason for project in self.projects}, dict(self.monitor.failures))
        self.assertEqual({reason: 3}, dict(self.monitor.outages))
        self.assertEqual({"DEBUG"}, {record.levelname for record in logs.records})

    def _drop_trigger(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refuse")
