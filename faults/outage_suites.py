# SPDX-License-Identifier: Apache-2.0
"""Suites that stop the database server or make it read-only while a collector is paused at a fault point."""

import abc
import time
from typing import ClassVar

from faults.actions import Action
from faults.actions import Fault
from faults.fork_server import CollectorProcess
from faults.instrumentation import Channel
from faults.instrumentation import FaultPoint
from faults.instrumentation import Phase
from faults.mariadb import MariaDBServer
from faults.testbed import Testbed
from faults.trials import NOT_REACHED
from faults.trials import Trial
from faults.trials import TrialSuite

# Longer than the server takes to start, shorter than a collector retries a window.
_OUTAGE_SECONDS = 1.0
_WRITES = {"INSERT INTO tenants", "UPDATE tenants SET", "INSERT INTO usage_entry", "COMMIT"}
# The points at which no transaction has written anything.
_BEFORE_WRITES = {
    (Phase.BEFORE, "INSERT INTO tenants"),
    (Phase.BEFORE, "UPDATE tenants SET"),
    (Phase.AFTER, "PING"),
}


class _OutageSuite(TrialSuite):
    needs_own_server = True
    kinds: ClassVar[tuple[str, ...]]

    def trials(self, testbed: Testbed) -> list[Trial]:
        return [
            trial
            for kind in self.kinds
            for trial in self.trials_at(
                testbed, [point for point in testbed.points if self.applies_to(point, kind)], (kind,)
            )
        ]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        assert testbed.server
        collector = testbed.start(fault=Fault(trial.point, Action.PAUSE))
        collector.wait()
        if not collector.paused:
            return [NOT_REACHED, *collector.problems(0)]
        self.disturb(testbed.server, collector, trial.kind)
        return collector.problems(0, 1)

    @abc.abstractmethod
    def applies_to(self, point: FaultPoint, kind: str) -> bool:
        """Whether there is a trial of a kind at a fault point."""

    @abc.abstractmethod
    def disturb(self, server: MariaDBServer, collector: CollectorProcess, kind: str) -> None:
        """Disturb the server, resume the collector, restore the server, and wait until the collector has ended."""


class RestartSuite(_OutageSuite):
    """The server is killed or shut down, and restarted before the collector resumes or, ``away``, a while later."""

    name = "restarts"
    kinds = ("killed", "shut-down", "away")

    def applies_to(self, point: FaultPoint, kind: str) -> bool:
        return point.channel == Channel.SQL and (kind == "killed" or point.operation in _WRITES)

    def disturb(self, server: MariaDBServer, collector: CollectorProcess, kind: str) -> None:
        if kind == "shut-down":
            server.shut_down()
        else:
            server.kill()
        if kind == "away":
            collector.resume()
            time.sleep(_OUTAGE_SECONDS)
        server.start()
        if kind != "away":
            collector.resume()
        collector.wait()


class ReadOnlySuite(_OutageSuite):
    """The server is read-only, as after a failover to a replica, until the collector has ended, or for a while."""

    name = "read-only"
    kinds = ("for-good", "for-a-while")

    def applies_to(self, point: FaultPoint, kind: str) -> bool:
        # The server does not become read-only while a transaction that has written is open.
        return (point.phase, point.operation) in _BEFORE_WRITES

    def disturb(self, server: MariaDBServer, collector: CollectorProcess, kind: str) -> None:
        server.execute("SET GLOBAL read_only = ON")
        try:
            collector.resume()
            if kind == "for-good":
                collector.wait()
            else:
                time.sleep(_OUTAGE_SECONDS)
        finally:
            server.execute("SET GLOBAL read_only = OFF")
        collector.wait()
