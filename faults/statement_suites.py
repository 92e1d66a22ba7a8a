# SPDX-License-Identifier: Apache-2.0
"""A statement fails: as the server words it, or because somebody else's transaction is in the way."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa

from faults import actions
from faults import instrumentation
from faults.actions import Fault
from faults.instrumentation import Point
from faults.testbed import WINDOWS
from faults.testbed import World
from faults.trials import NOT_REACHED
from faults.trials import Suite
from faults.trials import Trial

_ERRORS = {
    "deadlock": actions.DEADLOCK,  # at COMMIT: Galera's certification
    "lock-wait": 1205,
    "disk-full": 1021,
    "table-full": 1114,
    "read-only": 1290,
    "killed": 1317,
}
_ADVANCE = "UPDATE tenants SET"
_CONTROL = {"CONNECT", "PING", "ROLLBACK"}


class Statements(Suite):
    """Every statement fails with every error; ``cut``: the connection breaks before it is sent, or its answer comes.

    A window's transaction is tried again in the same run, and then succeeds.
    """

    name = "statements"

    def trials(self, world: World) -> list[Trial]:
        points = [point for point in world.passages[WINDOWS].points if point.kind == instrumentation.SQL]
        unsent = [point for point in points if point.phase == instrumentation.BEFORE and point.what not in _CONTROL]
        connected = [point for point in points if point.phase != instrumentation.AFTER and point.what != "CONNECT"]
        return [*self.at(world, unsent, tuple(_ERRORS)), *self.at(world, connected, ("cut",))]

    def play(self, world: World, trial: Trial) -> list[str]:
        if trial.kind == "cut":
            fault = Fault(trial.point, actions.CUT)
        else:
            fault = Fault(trial.point, actions.ERROR, {"errno": _ERRORS[trial.kind]})
        victim = world.start(fault=fault)
        victim.wait()
        # Before its first question a collector connects, which oslo.db tries again only where the server is away.
        expected = (0, 1) if trial.point < _first_question(world) else (0,)
        return victim.problems(*expected)


class Rivals(Suite):
    """A real lock wait time-out and a real deadlock, at every window's first statements."""

    name = "rivals"

    def trials(self, world: World) -> list[Trial]:
        points = world.passages[WINDOWS].points
        advances = [point for point in points if point.what == _ADVANCE]
        waits = [point for point in advances if point.phase == instrumentation.BEFORE]
        deadlocks = [
            point for point in advances if point.phase == instrumentation.AFTER and _bills(points[point.number :])
        ]
        return [*self.at(world, waits, ("lock-wait",)), *self.at(world, deadlocks, ("deadlock",))]

    def play(self, world: World, trial: Trial) -> list[str]:
        victim = world.start(fault=Fault(trial.point, actions.STOP))
        victim.wait()
        if not victim.stopped:
            return [NOT_REACHED, *victim.problems(0)]
        with _deadlock(world) if trial.kind == "deadlock" else _locked(world):
            victim.resume()
            victim.wait()
        problems = victim.problems(0, 1)
        symptom = "Deadlock found" if trial.kind == "deadlock" else "Lock wait timeout exceeded"
        return problems if symptom in victim.said() else [*problems, f"no {trial.kind} came about"]


def _bills(following: Sequence[Point]) -> bool:
    """Whether usage is stored before the transaction ends: without any, it touches nothing that a rival could hold."""
    statements = itertools.takewhile(lambda what: what != "COMMIT", (point.what for point in following))
    return "INSERT INTO usage_entry" in statements


def _first_question(world: World) -> int:
    return next(point.number for point in world.passages[WINDOWS].points if point.kind != instrumentation.SQL)


@contextlib.contextmanager
def _locked(world: World) -> Iterator[None]:
    """Every project's row is locked."""
    with world.engine.connect() as rival:
        rival.execute(sa.text("SELECT id FROM tenants FOR UPDATE"))
        yield
        rival.rollback()


@contextlib.contextmanager
def _deadlock(world: World) -> Iterator[None]:
    """A rival has locked the resources and waits for the project's row, which the paused collector has changed.

    It has written more, so that the server sacrifices the collector's transaction.
    """
    with world.engine.connect() as rival:
        rival.execute(sa.text("CREATE TABLE IF NOT EXISTS rival (id INT AUTO_INCREMENT PRIMARY KEY)"))
        rival.execute(sa.text("INSERT INTO rival SELECT NULL FROM information_schema.columns LIMIT 1000"))
        rival.execute(sa.text("SELECT id FROM resources FOR UPDATE"))
        waiting = threading.Thread(target=_lock_projects, args=(rival,))
        waiting.start()
        try:
            _wait_for_lock_wait(world)
            yield
        finally:
            waiting.join()


def _lock_projects(rival: sa.Connection) -> None:
    rival.execute(sa.text("SELECT id FROM tenants FOR UPDATE"))
    rival.rollback()


def _wait_for_lock_wait(world: World) -> None:
    query = sa.text("SELECT COUNT(*) FROM information_schema.innodb_lock_waits")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with world.engine.connect() as connection:
            if connection.scalar(query):
                return
        time.sleep(0.02)
