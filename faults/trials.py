# SPDX-License-Identifier: Apache-2.0
"""What a trial is, how it is judged, and what is told of many."""

import abc
import dataclasses
import random
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import ClassVar

from faults.instrumentation import Point
from faults.stored_rows import Difference
from faults.testbed import World

NOT_REACHED = "the point was not reached"
_SHOWN = 3
PROGRAM = "python -m faults"


@dataclasses.dataclass(frozen=True, order=True)
class Trial:
    """One fault.

    :param point: number of the point where it happens; of the round, where chance chooses the points.
    :param kind: which of the suite's faults; empty where there is only one.
    :param what: the point in words.
    """

    suite: str
    seed: int
    point: int
    kind: str = ""
    what: str = dataclasses.field(default="", compare=False)

    @property
    def command(self) -> str:
        """What repeats it."""
        kind = f" --kind {self.kind}" if self.kind else ""
        return f"{PROGRAM} --suite {self.suite} --seed {self.seed} --point {self.point}{kind}"


class Suite(abc.ABC):
    """Trials of one sort."""

    name: ClassVar[str]
    # Whether it needs a database server that it may break.
    own_server: ClassVar[bool] = False
    # Whether its collectors collect all windows that are over, however many.
    up_to_now: ClassVar[bool] = False

    @abc.abstractmethod
    def trials(self, world: World) -> list[Trial]:
        """All there are."""

    @abc.abstractmethod
    def play(self, world: World, trial: Trial) -> list[str]:
        """Disturb a run, or several, until all have ended.

        :return: what is wrong, apart from the rows: a crash, a point that was not reached.
        :raises TimeoutError: a collector hangs.
        """

    def at(self, world: World, points: Iterable[Point], kinds: Sequence[str] = ("",)) -> list[Trial]:
        """Every kind at every point."""
        return [
            Trial(self.name, world.seed, point.number, kind, f"{point.phase} {point.what}")
            for point in points
            for kind in kinds
        ]


@dataclasses.dataclass(frozen=True)
class Result:
    """:param problems: what went wrong apart from rows that differ at the end."""

    trial: Trial
    difference: Difference
    problems: list[str]
    seconds: float

    @property
    def good(self) -> bool:
        return not (self.difference.lost or self.difference.doubled or self.problems)

    def __str__(self) -> str:
        lines = [f"{self.trial.command}  # {self.trial.what}"]
        for kind, found in (
            ("lost", self.difference.lost),
            ("doubled", self.difference.doubled),
            ("problem", self.problems),
        ):
            lines += [f"    {kind}: {each}" for each in found[:_SHOWN]]
            lines += [f"    {kind}: {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return "\n".join(lines)


def judge(world: World, suite: Suite, trial: Trial) -> Result:
    """Disturb, look for half windows, let a fresh collector finish, and compare."""
    started = time.monotonic()
    world.wipe()
    try:
        problems = suite.play(world, trial)
        problems += world.rows().halves(world.undisturbed)
        problems += world.finish()
    except TimeoutError as hang:
        problems = [f"hang: {hang}"]
    return Result(trial, world.rows().against(world.undisturbed), problems, time.monotonic() - started)


def chosen(trials: Sequence[Trial], count: int | None, seed: int) -> list[Trial]:
    """All, or so many by chance; half of those are at a COMMIT where the suite has any there."""
    if count is None or count >= len(trials):
        return list(trials)
    chance = random.Random(seed)
    at_commit = [trial for trial in trials if "COMMIT" in trial.what]
    picked = chance.sample(at_commit, min(len(at_commit), count // 2))
    others = [trial for trial in trials if trial not in picked]
    return sorted(picked + chance.sample(others, count - len(picked)))


class Report:
    """:param say: is given each line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.results: list[Result] = []

    def add(self, result: Result) -> None:
        self.results.append(result)
        if not result.good:
            self._say(str(result))

    @property
    def bad(self) -> list[Result]:
        return [result for result in self.results if not result.good]

    def total(self) -> None:
        """The figures, by suite and altogether."""
        for name in dict.fromkeys(result.trial.suite for result in self.results):
            self._line(name, [result for result in self.results if result.trial.suite == name])
        self._line("all", self.results)

    def _line(self, name: str, results: Sequence[Result]) -> None:
        lost = sum(len(result.difference.lost) for result in results)
        doubled = sum(len(result.difference.doubled) for result in results)
        other = sum(bool(result.problems) for result in results)
        seconds = sum(result.seconds for result in results)
        self._say(
            f"{name}: {len(results)} trials, {lost} lost rows, {doubled} doubled rows, {other} trials with another"
            f" problem; {seconds:.0f} s"
        )
