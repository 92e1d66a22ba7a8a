# SPDX-License-Identifier: Apache-2.0
"""The database server goes away, or writes nothing any more, while a collector is at a point."""

import time

from faults import actions
from faults import instrumentation
from faults.actions import Fault
from faults.fork_server import Member
from faults.instrumentation import Point
from faults.mariadb import Server
from faults.testbed import WINDOWS
from faults.testbed import World
from faults.trials import NOT_REACHED
from faults.trials import Suite
from faults.trials import Trial

# Longer than a server's start takes, shorter than a window's attempts do.
_AWAY = 1.0
_WRITING = {"INSERT INTO tenants", "UPDATE tenants SET", "INSERT INTO usage_entry", "COMMIT"}
_UNWRITTEN = {
    (instrumentation.BEFORE, "INSERT INTO tenants"),
    (instrumentation.BEFORE, "UPDATE tenants SET"),
    (instrumentation.AFTER, "PING"),
}


class _Outages(Suite):
    own_server = True
    kinds: tuple[str, ...]

    def trials(self, world: World) -> list[Trial]:
        points = world.passages[WINDOWS].points
        return [
            trial
            for kind in self.kinds
            for trial in self.at(world, [point for point in points if self.concerns(point, kind)], (kind,))
        ]

    def concerns(self, point: Point, kind: str) -> bool:
        """Whether this kind is tried at this point."""
        raise NotImplementedError

    def play(self, world: World, trial: Trial) -> list[str]:
        assert world.server
        victim = world.start(fault=Fault(trial.point, actions.STOP))
        victim.wait()
        if not victim.stopped:
            return [NOT_REACHED, *victim.problems(0)]
        self.disturb(world.server, victim, trial.kind)
        return victim.problems(0, 1)

    def disturb(self, server: Server, victim: Member, kind: str) -> None:
        """Resume the collector when the server is as the kind says; afterwards the server is well again."""
        raise NotImplementedError


class Restarts(_Outages):
    """It is killed or shut down and started again; ``away``: it comes back a while after the collector goes on."""

    name = "restarts"
    kinds = ("killed", "shut-down", "away")

    def concerns(self, point: Point, kind: str) -> bool:
        return point.kind == instrumentation.SQL and (kind == "killed" or point.what in _WRITING)

    def disturb(self, server: Server, victim: Member, kind: str) -> None:
        if kind == "shut-down":
            server.shut_down()
        else:
            server.kill()
        if kind == "away":
            victim.resume()
            time.sleep(_AWAY)
        server.start()
        if kind != "away":
            victim.resume()
        victim.wait()


class ReadOnly(_Outages):
    """As after a failover to a replica: until the collector has ended, or for a while."""

    name = "read-only"
    kinds = ("for-good", "for-a-while")

    def concerns(self, point: Point, kind: str) -> bool:
        # The server does not become read-only while a transaction that has written is open.
        return (point.phase, point.what) in _UNWRITTEN

    def disturb(self, server: Server, victim: Member, kind: str) -> None:
        server.execute("SET GLOBAL read_only = ON")
        try:
            victim.resume()
            if kind == "for-good":
                victim.wait()
            else:
                time.sleep(_AWAY)
        finally:
            server.execute("SET GLOBAL read_only = OFF")
        victim.wait()
