# SPDX-License-Identifier: Apache-2.0
"""Suites in which a statement fails: by an injected error, or by a conflict with another transaction."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa

from faults.actions import DEADLOCK_ERRNO
from faults.actions import Action
from faults.actions import Fault
from faults.instrumentation import Channel
from faults.instrumentation import FaultPoint
from faults.instrumentation import Phase
from faults.testbed import Testbed
from faults.trials import NOT_REACHED
from faults.trials import Trial
from faults.trials import TrialSuite

_ERRNOS = {
    "deadlock": DEADLOCK_ERRNO,  # at COMMIT: a failed certification of Galera's
    "lock-wait": 1205,
    "disk-full": 1021,
    "table-full": 1114,
    "read-only": 1290,
    "killed": 1317,
}
_DISCONNECT = "disconnect"
_LOCK_WAIT = "lock-wait"
_DEADLOCK = "deadlock"
_LOG_MESSAGES = {_LOCK_WAIT: "Lock wait timeout exceeded", _DEADLOCK: "Deadlock found"}
_ADVANCE = "UPDATE tenants SET"
_CONTROL_STATEMENTS = {"CONNECT", "PING", "ROLLBACK"}
_LOCK_TIMEOUT_SECONDS = 5
_POLL_SECONDS = 0.02


class StatementSuite(TrialSuite):
    """Every statement fails with every error; ``disconnect``: the connection breaks before it is sent or answered.

    The transaction of a window is retried in the same run, and must succeed then.
    """

    name = "statements"

    def trials(self, testbed: Testbed) -> list[Trial]:
        points = [point for point in testbed.points if point.channel == Channel.SQL]
        unsent = [
            point for point in points if point.phase == Phase.BEFORE and point.operation not in _CONTROL_STATEMENTS
        ]
        connected = [point for point in points if point.phase != Phase.AFTER and point.operation != "CONNECT"]
        return [
            *self.trials_at(testbed, unsent, tuple(_ERRNOS)),
            *self.trials_at(testbed, connected, (_DISCONNECT,)),
        ]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        if trial.kind == _DISCONNECT:
            fault = Fault(trial.point, Action.DISCONNECT)
        else:
            fault = Fault(trial.point, Action.FAIL_STATEMENT, {"errno": _ERRNOS[trial.kind]})
        collector = testbed.start(fault=fault)
        collector.wait()
        # Before its first request a collector connects to the database, which oslo.db retries only if the server is
        # unreachable.
        expected = (0, 1) if trial.point < _first_request(testbed) else (0,)
        return collector.problems(*expected)


class LockConflictSuite(TrialSuite):
    """Another transaction causes a real lock wait timeout or deadlock at the first statements of every window."""

    name = "lock-conflicts"

    def trials(self, testbed: Testbed) -> list[Trial]:
        points = testbed.points
        advances = [point for point in points if point.operation == _ADVANCE]
        waits = [point for point in advances if point.phase == Phase.BEFORE]
        deadlocks = [
            point for point in advances if point.phase == Phase.AFTER and _stores_usage(points[point.number :])
        ]
        return [*self.trials_at(testbed, waits, (_LOCK_WAIT,)), *self.trials_at(testbed, deadlocks, (_DEADLOCK,))]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        collector = testbed.start(fault=Fault(trial.point, Action.PAUSE))
        collector.wait()
        if not collector.paused:
            return [NOT_REACHED, *collector.problems(0)]
        with _deadlock(testbed) if trial.kind == _DEADLOCK else _locked_projects(testbed):
            collector.resume()
            collector.wait()
        problems = collector.problems(0, 1)
        if _LOG_MESSAGES[trial.kind] not in collector.output():
            problems.append(f"no {trial.kind} occurred")
        return problems


def _stores_usage(following: Sequence[FaultPoint]) -> bool:
    """Whether the transaction inserts usage. Otherwise it uses no row that another transaction could lock."""
    statements = itertools.takewhile(lambda operation: operation != "COMMIT", (point.operation for point in following))
    return "INSERT INTO usage_entry" in statements


def _first_request(testbed: Testbed) -> int:
    return next(point.number for point in testbed.points if point.channel == Channel.HTTP)


@contextlib.contextmanager
def _locked_projects(testbed: Testbed) -> Iterator[None]:
    """Lock all projects' rows."""
    with testbed.engine.connect() as connection:
        connection.execute(sa.text("SELECT id FROM tenants FOR UPDATE"))
        yield
        connection.rollback()


@contextlib.contextmanager
def _deadlock(testbed: Testbed) -> Iterator[None]:
    """Lock all resources, and wait for the project's row, which the paused collector has updated.

    This transaction writes more than the collector's, so that the server rolls that one back.
    """
    with testbed.engine.connect() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS ballast (id INT AUTO_INCREMENT PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO ballast SELECT NULL FROM information_schema.columns LIMIT 1000"))
        connection.execute(sa.text("SELECT id FROM resources FOR UPDATE"))
        thread = threading.Thread(target=_lock_projects, args=(connection,))
        thread.start()
        try:
            _wait_for_lock_wait(testbed)
            yield
        finally:
            thread.join()


def _lock_projects(connection: sa.Connection) -> None:
    connection.execute(sa.text("SELECT id FROM tenants FOR UPDATE"))
    connection.rollback()


def _wait_for_lock_wait(testbed: Testbed) -> None:
    query = sa.text("SELECT COUNT(*) FROM information_schema.innodb_lock_waits")
    deadline = time.monotonic() + _LOCK_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with testbed.engine.connect() as connection:
            if connection.scalar(query):
                return
        time.sleep(_POLL_SECONDS)
