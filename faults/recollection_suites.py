# SPDX-License-Identifier: Apache-2.0
"""Suites in which windows are collected again."""

import functools
import random
import signal
import time

from faults.actions import DEADLOCK_ERRNO
from faults.actions import Action
from faults.actions import Fault
from faults.instrumentation import Channel
from faults.instrumentation import Phase
from faults.recollection import Recollection
from faults.testbed import Testbed
from faults.trials import NOT_REACHED
from faults.trials import Trial
from faults.trials import TrialSuite

_KILLED = -signal.SIGKILL
_KILL, _DEADLOCK, _DISCONNECT = "kill", "deadlock", "disconnect"
_CONTROL = ("CONNECT", "PING", "ROLLBACK")
_MAX_DELAY_SECONDS = 0.3


class _RecollectionSuite(TrialSuite):
    """Has the rest collected again after the fault: that succeeds, and changes nothing that was done before."""

    @staticmethod
    @functools.lru_cache(maxsize=1)
    def recollection(testbed: Testbed) -> Recollection:
        return Recollection(testbed)

    def finish(self, testbed: Testbed) -> list[str]:
        recollection = self.recollection(testbed)
        problems = recollection.problems()
        command = recollection.start()
        command.wait()
        return [*problems, *command.problems(0), *recollection.problems()]


class RecollectionSuite(_RecollectionSuite):
    """The command is killed at every fault point; each of its statements meets a deadlock or a broken connection."""

    name = "recollections"

    def trials(self, testbed: Testbed) -> list[Trial]:
        points = self.recollection(testbed).points
        statements = [point for point in points if point.channel == Channel.SQL]
        unsent = [
            point for point in statements if point.phase == Phase.BEFORE and point.operation not in ("CONNECT", "PING")
        ]
        connected = [point for point in statements if point.phase != Phase.AFTER and point.operation != "CONNECT"]
        return [
            *self.trials_at(testbed, points, (_KILL,)),
            *self.trials_at(testbed, unsent, (_DEADLOCK,)),
            *self.trials_at(testbed, connected, (_DISCONNECT,)),
        ]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        recollection = self.recollection(testbed)
        recollection.prepare()
        fault = {
            _KILL: Fault(trial.point, Action.KILL),
            _DEADLOCK: Fault(trial.point, Action.FAIL_STATEMENT, {"errno": DEADLOCK_ERRNO}),
            _DISCONNECT: Fault(trial.point, Action.DISCONNECT),
        }[trial.kind]
        command = recollection.start(fault)
        status = command.wait()
        reached = [NOT_REACHED] if trial.kind == _KILL and status != _KILLED else []
        return [*reached, *command.problems(0, 1, _KILLED), *self.finish(testbed)]


class ConcurrentRecollectionSuite(_RecollectionSuite):
    """Two commands at once, beside a collector that goes on; at random one is paused or killed."""

    name = "concurrent-recollections"
    _ROUNDS = 100

    def trials(self, testbed: Testbed) -> list[Trial]:
        return [Trial(self.name, testbed.seed, number) for number in range(1, self._ROUNDS + 1)]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        recollection = self.recollection(testbed)
        generator = random.Random(f"{trial.seed}/{trial.point}")
        recollection.prepare(windows=generator.randint(1, 2))
        last = recollection.points[-1].number
        commands = []
        for action in generator.sample((None, None, Action.PAUSE, Action.KILL), 2):
            commands.append(recollection.start(Fault(generator.randint(1, last), action) if action else None))
            time.sleep(generator.uniform(0, _MAX_DELAY_SECONDS))
        collector = testbed.start()
        # They end, or are paused.
        for process in (*commands, collector):
            process.wait()
        for command in commands:
            if command.paused:
                command.resume()
                command.wait()
        problems = [problem for command in commands for problem in command.problems(0, 1, _KILLED)]
        # A paused command may hold the lock of a row.
        return [*problems, *collector.problems(0, 1), *testbed.recover(), *self.finish(testbed)]
