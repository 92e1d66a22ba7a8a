# SPDX-License-Identifier: Apache-2.0
"""A run beside others: what it collects, what it leaves to them, and what it looks at again."""

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
from distil.collector.dispatcher import Dispatcher
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.collector.window import Tools
from distil.coordination.leases import LeasePartitioner
from distil.coordination.leases import Partitioner
from distil.db import models
from distil.db import store
from distil.db.leases import Leases
from distil.monitoring.history import History
from distil.monitoring.metrics import Metrics
from distil.monitoring.run import Record
from distil.rating.rate import RatingRules
from distil.telemetry.driver import TelemetryDriver
from distil.tests.support import databases
from distil.transformers.lookups import Lookups

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class Telemetry(TelemetryDriver):
    """Has no samples. It does what a test wants while it is asked, and keeps what it was asked for."""

    def __init__(self, meanwhile: Callable[[str, datetime.datetime], None]) -> None:
        super().__init__(ks_session.Session(), None, "public")
        self.asked: list[tuple[str, datetime.datetime]] = []
        self._meanwhile = meanwhile

    def samples(
        self,
        projects: Collection[str],
        _meters: Collection[str],
        start: datetime.datetime,
        _end: datetime.datetime,
    ) -> Iterator[model.Sample]:
        for project_id in projects:
            self.asked.append((project_id, start))
            self._meanwhile(project_id, start)
        return iter(())


class Bar:
    def __init__(self) -> None:
        self.advanced = 0

    def expect(self, windows: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        self.advanced += 1


def windows(count: int = 2) -> list[model.Window]:
    return [model.Window(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(count)]


class DispatcherTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)
        self.projects = [model.Project(f"{number}-{uuid.uuid4().hex}", "n", "d") for number in range(3)]
        self.store.register_projects((project, START) for project in self.projects)
        self.other = Leases(self.engine, f"other-{uuid.uuid4().hex}")
        self.addCleanup(self.other.release_all)

    def turns(
        self,
        meanwhile: Callable[[str, datetime.datetime], None] = lambda *_: None,
        length: float = 300,
        sharing: Partitioner | None = None,
    ) -> Dispatcher:
        stop = Shutdown()
        self.metrics = metrics = Metrics({"distil": "0"})
        owner = f"mine-{uuid.uuid4().hex}"
        leases = Leases(self.engine, owner, length, on_takeover=metrics.leases_taken_over.inc)
        sharing = sharing or LeasePartitioner(leases, metrics)
        self.telemetry = Telemetry(meanwhile)
        tools = Tools(
            questions=SampleFetcher(self.telemetry, (), stop),
            rules=RatingRules((), ()),
            lookups=Lookups(),
            os_distro=lambda *_: "",
            store=self.store,
            sharing=sharing,
            metrics=metrics,
            history=History("default", "0", HOUR, START),
            stop=stop,
        )
        self.bar = Bar()
        return Dispatcher(
            tools=tools, concurrency=1, record=Record("req-1", tools.metrics, tools.history, START, self.bar)
        )

    def take(self, turns: Dispatcher, patience: float = 0, count: int = 2) -> Collection[str]:
        return turns.run([(project, windows(count)) for project in self.projects], patience)

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
        turns = self.turns(meanwhile=lambda *_: self.assertTrue(0 < self.leased() == self.value("leases_held")))
        self.take(turns)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual((6, set()), (turns.record.summary.windows, set(turns.record.summary.failed)))
        self.assertEqual(6, self.bar.advanced)
        self.assertEqual((0, 0), (self.leased(), self.value("leases_held")))

    def test_held_project_is_skipped(self) -> None:
        self.other.acquire(self.projects[1].id)
        turns = self.turns()
        self.assertEqual({self.projects[1].id}, self.take(turns))
        self.assertEqual([START + 2 * HOUR, START, START + 2 * HOUR], self.collected())
        self.assertEqual(set(), set(turns.record.summary.failed))
        self.assertEqual(1, self.leased())

    def test_released_project_is_collected_last(self) -> None:
        self.other.acquire(self.projects[0].id)
        self.take(self.turns(meanwhile=lambda *_: self.other.release_all()))
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual(self.projects[0].id, self.telemetry.asked[-1][0])

    def test_expired_lease_is_taken_over(self) -> None:
        self.other.acquire(self.projects[0].id)
        self.expire(self.projects[0])
        self.assertEqual(set(), self.take(self.turns()))
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual((1, 0), (self.value("leases_taken_over_total"), self.value("leases_lost_total")))

    def test_window_committed_elsewhere_is_skipped(self) -> None:
        def meanwhile(project_id: str, start: datetime.datetime) -> None:
            if (project_id, start) == (self.projects[0].id, START):
                self.commit(self.projects[1], windows()[0])

        turns = self.turns(meanwhile)
        self.take(turns)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertNotIn((self.projects[1].id, START), self.telemetry.asked)
        self.assertEqual((5, 6), (turns.record.summary.windows, self.bar.advanced))

    def test_commit_conflict_does_not_fail_project(self) -> None:
        def meanwhile(project_id: str, start: datetime.datetime) -> None:
            if (project_id, start) == (self.projects[0].id, START):
                self.commit(self.projects[0], windows()[0])

        turns = self.turns(meanwhile)
        self.take(turns)
        self.assertEqual([START + 2 * HOUR] * 3, self.collected())
        self.assertEqual((5, set()), (turns.record.summary.windows, set(turns.record.summary.failed)))

    def test_lost_lease_prevents_next_window(self) -> None:
        """The lease is so short that after a while each attempt renews it."""

        def meanwhile(project_id: str, _start: datetime.datetime) -> None:
            if project_id == self.projects[0].id:
                self.expire(self.projects[0])
                self.assertTrue(self.other.acquire(project_id))
                time.sleep(0.2)

        turns = self.turns(meanwhile, length=1)
        self.take(turns)
        self.assertEqual([START + HOUR, START + 2 * HOUR, START + 2 * HOUR], self.collected())
        self.assertEqual(1, self.value("leases_lost_total"))
        self.assertEqual(set(), set(turns.record.summary.failed))
        self.assertEqual(1, self.leased())

    def test_waits_until_other_collector_finishes(self) -> None:
        self.other.acquire(self.projects[0].id)

        def work() -> None:
            for window in windows(3):
                time.sleep(0.8)
                self.commit(self.projects[0], window)
            self.other.release_all()

        turns = self.turns()
        other = threading.Thread(target=work)
        other.start()
        self.take(turns, patience=60, count=3)
        other.join()
        self.assertEqual([START + 3 * HOUR] * 3, self.collected())
        self.assertEqual((6, 9), (turns.record.summary.windows, self.bar.advanced))

    def test_wait_times_out_without_progress(self) -> None:
        self.other.acquire(self.projects[0].id)
        started = time.monotonic()
        turns = self.turns()
        self.take(turns, patience=2)
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(START, self.collected()[0])
        self.assertEqual(set(), set(turns.record.summary.failed))

    def test_shutdown_interrupts_wait(self) -> None:
        self.other.acquire(self.projects[0].id)
        turns = self.turns()
        threading.Timer(1, turns.tools.stop.event.set).start()
        with self.assertRaises(exceptions.ShutdownRequested):
            self.take(turns, patience=60)

    def test_lease_failure_fails_only_its_project(self) -> None:
        """The row of the first project's lease cannot be inserted."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON project_locks "
                f"WHEN NEW.project_id = '{self.projects[0].id}' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        self.addCleanup(self._drop_trigger)
        turns = self.turns()
        self.take(turns)
        self.assertEqual({self.projects[0].id}, set(turns.record.summary.failed))
        self.assertEqual([START, START + 2 * HOUR, START + 2 * HOUR], self.collected())
        self.assertEqual(
            (2, 1), (self.value("retries_total", step="take"), self.value("windows_total", outcome="failed"))
        )

    def _drop_trigger(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refuse")
