# SPDX-License-Identifier: Apache-2.0
"""Suites that kill or pause processes."""

import random
import signal
import time
from collections.abc import Callable

from faults.actions import Action
from faults.actions import Fault
from faults.fork_server import COLLECTOR_TIMEOUT_SECONDS
from faults.fork_server import CollectorProcess
from faults.instrumentation import Phase
from faults.testbed import Testbed
from faults.trials import NOT_REACHED
from faults.trials import Trial
from faults.trials import TrialSuite

_KILLED = -signal.SIGKILL
_POLL_SECONDS = 0.02
_SHUTDOWN_TIMEOUT_SECONDS = 30
_MAX_START_DELAY_SECONDS = 0.2


class KillSuite(TrialSuite):
    """A collector is killed at every fault point."""

    name = "kills"

    def trials(self, testbed: Testbed) -> list[Trial]:
        return self.trials_at(testbed, testbed.points)

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        collector = testbed.start(fault=Fault(trial.point, Action.KILL))
        return [] if collector.wait() == _KILLED else [NOT_REACHED, *collector.problems(0)]


class ThreadedKillSuite(TrialSuite):
    """A collector with several threads is killed when together they have reached a number of fault points."""

    name = "threads"

    def trials(self, testbed: Testbed) -> list[Trial]:
        return self.trials_at(testbed, testbed.points)

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        collector = testbed.start(fault=Fault(trial.point, Action.KILL), concurrency=3)
        collector.wait()
        # How many fault points there are depends on how the threads interleave, so that it may end before this one.
        return collector.problems(0, _KILLED)


class PauseSuite(TrialSuite):
    """A collector is paused until its leases have expired and another has collected everything, then resumed."""

    name = "pauses"

    def trials(self, testbed: Testbed) -> list[Trial]:
        return self.trials_at(testbed, testbed.points)

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        collector = testbed.start(fault=Fault(trial.point, Action.PAUSE))
        collector.wait()
        if not collector.paused:
            return [NOT_REACHED, *collector.problems(0)]
        testbed.expire_leases()
        other = testbed.start()
        other.wait()
        collector.resume()
        collector.wait()
        # If the paused collector holds row locks, the other one cannot collect every project.
        return [*other.problems(0, 1), *collector.problems(0, 1)]


class RespawnSuite(TrialSuite):
    """The child process of a periodic collector is killed; the launcher starts another, which finishes."""

    name = "respawns"
    collects_to_now = True

    def trials(self, testbed: Testbed) -> list[Trial]:
        # Fault points of a collector that ends by itself; those of a periodic one are nearly the same.
        return self.trials_at(testbed, [point for point in testbed.points if point.phase == Phase.BEFORE])

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        # Every child process counts its fault points from 1: only the first one may act.
        once_file = testbed.folder / "once"
        once_file.unlink(missing_ok=True)
        launcher = testbed.start_periodic(Fault(trial.point, Action.KILL, once_file=str(once_file)))
        # Waits also for a fault point that the first run does not reach: the following runs do. If the process were
        # killed while it stops instead, the launcher would rightly end with status 1.
        _wait_until(once_file.exists, launcher)
        testbed.expire_leases()
        _wait_until(testbed.is_complete, launcher)
        launcher.terminate()
        launcher.wait(_SHUTDOWN_TIMEOUT_SECONDS)
        return launcher.problems(0)


class ConcurrencySuite(TrialSuite):
    """Two to five collectors share a scope; at random some are killed, some paused and resumed."""

    name = "concurrency"
    _ROUNDS = 100

    def trials(self, testbed: Testbed) -> list[Trial]:
        return [Trial(self.name, testbed.seed, number) for number in range(1, self._ROUNDS + 1)]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        generator = random.Random(f"{trial.seed}/{trial.point}")
        last = testbed.points[-1].number
        actions = [Action.PAUSE, Action.KILL]
        choices = [*actions, *(generator.choice((None, *actions)) for _ in range(3))]
        collectors = []
        for action in generator.sample(choices, generator.randint(2, 5)):
            fault = Fault(generator.randint(1, last), action) if action else None
            collectors.append(testbed.start(fault=fault, concurrency=generator.randint(1, 3)))
            time.sleep(generator.uniform(0, _MAX_START_DELAY_SECONDS))
        _wait_for_all(testbed, collectors, resume_after=generator.random())
        return [problem for collector in collectors for problem in collector.problems(0, 1, _KILLED)]


def _wait_for_all(testbed: Testbed, collectors: list[CollectorProcess], resume_after: float) -> None:
    """Wait until all have ended.

    :param resume_after: seconds until paused collectors are resumed, unless all others end before.
    """
    resume_at = time.monotonic() + resume_after
    deadline = time.monotonic() + COLLECTOR_TIMEOUT_SECONDS
    handled: set[int] = set()
    while any(collector.exit_status is None for collector in collectors):
        for collector in collectors:
            collector.poll()
        inactive = {collector.pid for collector in collectors if _is_inactive(collector)}
        if inactive - handled:
            testbed.expire_leases()
            handled |= inactive
        if len(inactive) == len(collectors) or time.monotonic() > resume_at:
            for collector in collectors:
                if collector.paused:
                    collector.resume()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all of {len(collectors)} concurrent collectors ended")
        time.sleep(_POLL_SECONDS)


def _is_inactive(collector: CollectorProcess) -> bool:
    return collector.paused or collector.exit_status is not None


def _wait_until(condition: Callable[[], bool], launcher: CollectorProcess) -> None:
    """Wait until the condition holds.

    :raises TimeoutError: it did not hold in time, or the launcher has ended.
    """
    deadline = time.monotonic() + COLLECTOR_TIMEOUT_SECONDS
    while not condition():
        launcher.poll()
        if launcher.exit_status is not None or time.monotonic() > deadline:
            launcher.kill()
            status, tail = launcher.exit_status, launcher.output()[-300:]
            raise TimeoutError(f"launcher did not finish (exit status {status}): {tail}")
        time.sleep(_POLL_SECONDS)
