# SPDX-License-Identifier: Apache-2.0
"""One process is killed or paused at a point."""

import random
import signal
import time

from faults import actions
from faults import instrumentation
from faults.actions import Fault
from faults.fork_server import PATIENCE
from faults.fork_server import Member
from faults.testbed import WINDOWS
from faults.testbed import World
from faults.trials import NOT_REACHED
from faults.trials import Suite
from faults.trials import Trial

_KILLED = -signal.SIGKILL
_POLL = 0.02


class Kills(Suite):
    """kill -9 at every point; a fresh process finishes."""

    name = "kills"

    def trials(self, world: World) -> list[Trial]:
        return self.at(world, world.passages[WINDOWS].points)

    def play(self, world: World, trial: Trial) -> list[str]:
        victim = world.start(fault=Fault(trial.point, actions.KILL))
        return [] if victim.wait() == _KILLED else [NOT_REACHED, *victim.problems(0)]


class Threads(Suite):
    """kill -9 while several threads collect, at as many points as one thread passes; a fresh process finishes."""

    name = "threads"

    def trials(self, world: World) -> list[Trial]:
        return self.at(world, world.passages[WINDOWS].points)

    def play(self, world: World, trial: Trial) -> list[str]:
        victim = world.start(fault=Fault(trial.point, actions.KILL), concurrency=3)
        victim.wait()
        # Threads pass as many points as they meet each other at, a few less now and then.
        return victim.problems(0, _KILLED)


class Pauses(Suite):
    """A process is paused at a point for longer than any lease; another one collects everything; the first goes on."""

    name = "pauses"

    def trials(self, world: World) -> list[Trial]:
        return self.at(world, world.passages[WINDOWS].points)

    def play(self, world: World, trial: Trial) -> list[str]:
        sleeper = world.start(fault=Fault(trial.point, actions.STOP))
        sleeper.wait()
        if not sleeper.stopped:
            return [NOT_REACHED, *sleeper.problems(0)]
        world.pass_time()
        other = world.start()
        other.wait()
        sleeper.resume()
        sleeper.wait()
        # Where the sleeper holds locks of rows in an open transaction, the other cannot bring everything up.
        return [*other.problems(0, 1), *sleeper.problems(0, 1)]


class Successors(Suite):
    """A collector that runs for ever loses its child process at a point; the next one is started and finishes."""

    name = "successors"
    up_to_now = True

    def trials(self, world: World) -> list[Trial]:
        # Which points there are is known of a run that ends by itself; this one passes much the same.
        return self.at(
            world, [point for point in world.passages[WINDOWS].points if point.phase == instrumentation.BEFORE]
        )

    def play(self, world: World, trial: Trial) -> list[str]:
        fuse = world.folder / "fuse"
        fuse.unlink(missing_ok=True)
        # A fuse, for every child counts from 1.
        launcher = world.serve(Fault(trial.point, actions.KILL, fuse=str(fuse)))
        deadline = time.monotonic() + PATIENCE
        while not fuse.exists() and not world.complete():
            _sleep(launcher, deadline)
        world.pass_time()
        while not world.complete():
            _sleep(launcher, deadline)
        launcher.terminate()
        launcher.wait(30)
        return [*([] if fuse.exists() else [NOT_REACHED]), *launcher.problems(0)]


class Crowds(Suite):
    """2 to 5 processes collect one scope at once; some are killed, some paused and resumed, as chance has it."""

    name = "crowds"
    rounds = 100

    def trials(self, world: World) -> list[Trial]:
        return [Trial(self.name, world.seed, number) for number in range(1, self.rounds + 1)]

    def play(self, world: World, trial: Trial) -> list[str]:
        chance = random.Random(f"{trial.seed}/{trial.point}")
        last = world.passages[WINDOWS].points[-1].number
        fates = [actions.STOP, actions.KILL, *(chance.choice((None, actions.STOP, actions.KILL)) for _ in range(3))]
        members = []
        for fate in chance.sample(fates, chance.randint(2, 5)):
            fault = Fault(chance.randint(1, last), fate) if fate else None
            members.append(world.start(fault=fault, concurrency=chance.randint(1, 3)))
            time.sleep(chance.uniform(0, 0.2))
        _watch(world, members, early=chance.random())
        return [problem for member in members for problem in member.problems(0, 1, _KILLED)]


def _watch(world: World, members: list[Member], early: float) -> None:
    """Wait until all have ended; the paused are resumed after ``early`` seconds, or when the others have ended."""
    resume_at = time.monotonic() + early
    deadline = time.monotonic() + PATIENCE
    out: set[int] = set()
    while any(member.status is None for member in members):
        for member in members:
            member.look()
        gone = {member.pid for member in members if member.stopped or member.status is not None}
        if gone - out:
            world.pass_time()
            out |= gone
        others_ended = all(member.stopped or member.status is not None for member in members)
        if others_ended or time.monotonic() > resume_at:
            for member in members:
                if member.stopped:
                    member.resume()
        if time.monotonic() > deadline:
            raise TimeoutError(f"of {len(members)} collectors at once, not all ended")
        time.sleep(_POLL)


def _sleep(launcher: Member, deadline: float) -> None:
    launcher.look()
    if launcher.status is not None or time.monotonic() > deadline:
        launcher.kill()
        raise TimeoutError(f"the launcher does not finish (status {launcher.status}): {launcher.said()[-300:]}")
    time.sleep(_POLL)
