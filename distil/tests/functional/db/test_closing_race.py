# SPDX-License-Identifier: Apache-2.0
"""Collectors that commit windows of a period while it is closed: each is in its digest, or marked as late."""

import concurrent.futures
import contextlib
import datetime
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import tenacity

from distil import exceptions
from distil import model
from distil.collector.retrying import MAX_ATTEMPTS
from distil.db import engine as db_engine
from distil.db import periods
from distil.db import project_lock
from distil.db.closing import PeriodClosing
from distil.db.manifest import Manifest
from distil.db.models import periods as period_table
from distil.db.models import receipts
from distil.db.period_verification import Result
from distil.db.period_verification import UsageVerification
from distil.db.period_verification import Verified
from distil.db.receipts import NewReceipt
from distil.db.store import Store
from distil.digest import usage_digest
from distil.tests.support import databases

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WINDOWS = 12
PERIOD = model.Window(START, START + WINDOWS * HOUR)
WRITERS = 8
MAX_COMMIT_SECONDS = 5.0
USAGE = [model.Usage("s", "r", "u", Decimal("1.5"))]
TIMEOUT = 30
LEVELS = ("READ COMMITTED", "REPEATABLE READ")


def window(number: int) -> model.Window:
    return model.Window(START + number * HOUR, START + (number + 1) * HOUR)


def receipt() -> NewReceipt:
    counts = dict.fromkeys(("samples", "used", "untrusted", "duplicates", "rejected"), 0)
    contents = model.Receipt(**counts, entries=1, meters={}, samples_digest="1:", usage_digest=usage_digest(USAGE))
    return NewReceipt(contents, 1, 1)


class _Race:
    """A database with projects, of which each test uses some."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.store = Store(engine)
        self.projects = [f"p{number}" for number in range(WRITERS)]
        self.store.register_projects((model.Project(project, project, "d"), START) for project in self.projects)

    def commit(self, project: str, number: int, engine: sa.Engine | None = None) -> None:
        """As often as a collector tries, for PostgreSQL refuses to write what has been written meanwhile."""
        store = Store(engine or self.engine).project(project)
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(exceptions.StoreError),
            stop=tenacity.stop_after_attempt(MAX_ATTEMPTS),
            reraise=True,
        )
        attempts(store.commit, window(number), USAGE, [model.Resource("r", {})], [], receipt=receipt())

    def close(self) -> periods.StoredPeriod:
        return PeriodClosing(self.engine, "first", PERIOD, "alice@host", {}).run()

    def verify(self) -> list[Verified]:
        (stored,) = periods.list_periods(self.engine)
        return list(UsageVerification(self.engine, stored).run())

    def marked(self) -> dict[bool, int]:
        """The number of windows that are marked as committed after the close, and of those that are not."""
        query = sa.select(receipts.c.closed_period.is_not(None))
        with self.engine.connect() as connection:
            marks = [bool(mark) for mark in connection.scalars(query)]
        return {mark: marks.count(mark) for mark in (True, False)}

    def digested(self) -> int:
        (stored,) = periods.list_periods(self.engine)
        return sum(project.windows for project in Manifest.parse(stored.manifest or "").projects)

    def is_being_closed(self) -> bool:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(period_table.c.name)) is not None

    def require_consistent(self) -> None:
        """Every window is digested or marked, and none is both.

        :raises AssertionError: one is not.
        """
        changed = [found for found in self.verify() if found.result is Result.CHANGED]
        assert not changed, changed
        assert self.marked()[False] == self.digested(), (self.marked(), self.digested())


@contextlib.contextmanager
def pausing_before(engine: sa.Engine, start: str, paused: threading.Event, go_on: threading.Event) -> Iterator[None]:
    """Have the engine's connections pause before a statement that begins with a text."""

    def pause(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(start) and not paused.is_set():
            paused.set()
            assert go_on.wait(TIMEOUT)

    sa.event.listen(engine, "before_cursor_execute", pause)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", pause)


class ClosingRaceMySQLTest(databases.DatabaseTestCase):
    BACKEND = databases.MYSQL

    @contextlib.contextmanager
    def race(self, level: str) -> Iterator[_Race]:
        with self.subTest(level), databases.database(self.BACKEND) as url:
            engine = db_engine.create_engine(url, max_pool_size=WRITERS + 4)
            try:
                yield _Race(engine.execution_options(isolation_level=level))
            finally:
                engine.dispose()

    def test_each_window_is_digested_or_marked(self) -> None:
        for level in LEVELS:
            with self.race(level) as race:
                times = self.commit_while_closing(race)
                race.require_consistent()
                self.assertEqual(WRITERS * WINDOWS, sum(race.marked().values()))
                self.assertGreater(race.marked()[True], 0)
                self.assertGreater(race.digested(), 0)
                self.assertLess(max(times), MAX_COMMIT_SECONDS)

    def commit_while_closing(self, race: _Race) -> list[float]:
        """Return how long each commit took, in seconds."""
        begun = threading.Barrier(WRITERS + 1)

        def write(project: str) -> list[float]:
            times = []
            for number in range(WINDOWS):
                if number == 2:
                    begun.wait(TIMEOUT)
                before = time.monotonic()
                race.commit(project, number)
                times.append(time.monotonic() - before)
            return times

        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            written = [pool.submit(write, project) for project in race.projects]
            begun.wait(TIMEOUT)
            race.close()
            return [seconds for future in written for seconds in future.result(TIMEOUT)]

    def test_commit_before_its_lock_is_marked(self) -> None:
        """The period is closed as a whole between the begin of the transaction and its lock."""
        for level in LEVELS:
            with self.race(level) as race:
                paused, go_on = threading.Event(), threading.Event()
                with self.committing(race, "UPDATE tenants", paused, go_on) as committed:
                    race.close()
                    go_on.set()
                    committed.result(TIMEOUT)
                race.require_consistent()
                self.assertEqual({True: 1, False: 0}, race.marked())

    def test_close_waits_for_commit_that_has_lock(self) -> None:
        """The period's row is stored while the transaction has the lock and has not read the periods yet."""
        for level in LEVELS:
            with self.race(level) as race:
                paused, go_on = threading.Event(), threading.Event()
                with (
                    self.committing(race, "INSERT INTO receipts", paused, go_on) as committed,
                    concurrent.futures.ThreadPoolExecutor(1) as pool,
                ):
                    closed = pool.submit(race.close)
                    self.wait_for(race.is_being_closed)
                    go_on.set()
                    committed.result(TIMEOUT)
                    closed.result(TIMEOUT)
                race.require_consistent()
                self.assertEqual(1, sum(race.marked().values()))

    def test_commit_waits_for_digest_of_its_project(self) -> None:
        for level in LEVELS:
            with self.race(level) as race, concurrent.futures.ThreadPoolExecutor(1) as pool:
                with race.engine.begin() as connection:
                    project_lock.lock(connection, race.projects[0])
                    committed = pool.submit(race.commit, race.projects[0], 0)
                    with self.assertRaises(TimeoutError):
                        committed.result(0.3)
                committed.result(TIMEOUT)

    def test_period_read_before_lock_would_lose_window(self) -> None:
        """The assertion finds a collector that reads the period first: what the lock's order is for."""
        with self.race("READ COMMITTED") as race:
            with race.engine.begin() as connection:
                before = connection.scalar(sa.select(period_table.c.name))
                race.close()
                project_lock.lock(connection, race.projects[0])
            race.commit(race.projects[0], 0)
            with race.engine.begin() as connection:
                connection.execute(sa.update(receipts).values(closed_period=before))
            with self.assertRaisesRegex(AssertionError, "changed by hand"):
                race.require_consistent()

    @contextlib.contextmanager
    def committing(
        self, race: _Race, statement: str, paused: threading.Event, go_on: threading.Event
    ) -> Iterator[concurrent.futures.Future[None]]:
        """A commit that pauses before a statement."""
        engine = db_engine.create_engine(race.engine.url.render_as_string(hide_password=False))
        level = race.engine.get_execution_options()["isolation_level"]
        with pausing_before(engine, statement, paused, go_on), concurrent.futures.ThreadPoolExecutor(1) as pool:
            try:
                committed = pool.submit(
                    race.commit, race.projects[0], 0, engine.execution_options(isolation_level=level)
                )
                self.assertTrue(paused.wait(TIMEOUT))
                yield committed
            finally:
                go_on.set()
        engine.dispose()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


class ClosingRacePostgreSQLTest(ClosingRaceMySQLTest):
    BACKEND = databases.POSTGRESQL
