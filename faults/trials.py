# SPDX-License-Identifier: Apache-2.0
"""Trials: their definition, execution and evaluation."""

import abc
import dataclasses
import random
import time
from collections.abc import Iterable
from collections.abc import Sequence
from typing import ClassVar
from typing import TextIO

from faults.instrumentation import FaultPoint
from faults.stored_rows import RowDifference
from faults.testbed import Testbed

NOT_REACHED = "fault point not reached"
PROGRAM = "python -m faults"
_MAX_SHOWN = 3


@dataclasses.dataclass(frozen=True, order=True)
class Trial:
    """One fault to inject.

    :param point: number of the fault point, or of the round in a suite that chooses points at random.
    :param kind: of the suite's faults; empty if it has only one.
    :param description: of the fault point.
    """

    suite: str
    seed: int
    point: int
    kind: str = ""
    description: str = dataclasses.field(default="", compare=False)

    @property
    def command(self) -> str:
        """The command that repeats the trial."""
        kind = f" --kind {self.kind}" if self.kind else ""
        return f"{PROGRAM} --suite {self.suite} --seed {self.seed} --point {self.point}{kind}"


class TrialSuite(abc.ABC):
    """Trials that inject faults in the same way.

    :cvar needs_own_server: whether it disturbs the database server, which other tests must not share.
    :cvar collects_to_now: whether its collectors collect all windows that have ended, however many.
    """

    name: ClassVar[str]
    needs_own_server: ClassVar[bool] = False
    collects_to_now: ClassVar[bool] = False

    @abc.abstractmethod
    def trials(self, testbed: Testbed) -> list[Trial]:
        """Return all trials."""

    @abc.abstractmethod
    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        """Run one or more collectors, inject the fault, and wait until all have ended.

        :return: problems other than wrong rows, such as a crash.
        :raises TimeoutError: a collector hangs.
        """

    def trials_at(self, testbed: Testbed, points: Iterable[FaultPoint], kinds: Sequence[str] = ("",)) -> list[Trial]:
        """Return a trial for every combination of fault point and kind."""
        return [Trial(self.name, testbed.seed, point.number, kind, str(point)) for point in points for kind in kinds]


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """The outcome of a trial.

    :param difference: between the rows stored in the end and those of the golden run.
    :param problems: other than that difference.
    """

    trial: Trial
    difference: RowDifference
    problems: list[str]
    seconds: float

    @property
    def passed(self) -> bool:
        return not (self.difference.lost or self.difference.unexpected or self.problems)

    def __str__(self) -> str:
        lines = [f"{self.trial.command}  # {self.trial.description}"]
        for kind, messages in (
            ("lost", self.difference.lost),
            ("unexpected", self.difference.unexpected),
            ("problem", self.problems),
        ):
            lines += [f"    {kind}: {message}" for message in messages[:_MAX_SHOWN]]
            lines += [f"    {kind}: {len(messages) - _MAX_SHOWN} more"] if len(messages) > _MAX_SHOWN else []
        return "\n".join(lines)


def run_trial(testbed: Testbed, suite: TrialSuite, trial: Trial) -> TrialResult:
    """Inject the fault, look for partial windows, let a new collector finish, and compare with the golden run."""
    started = time.monotonic()
    testbed.reset()
    try:
        problems = suite.inject(testbed, trial)
        problems += testbed.stored_rows().partial_windows(testbed.expected_rows)
        problems += testbed.recover()
    except TimeoutError as error:
        problems = [f"hang: {error}"]
    difference = testbed.stored_rows().compare(testbed.expected_rows)
    return TrialResult(trial, difference, problems, time.monotonic() - started)


def sample_trials(trials: Sequence[Trial], count: int | None, seed: int) -> list[Trial]:
    """Return all trials, or a random sample of them, half of it at a COMMIT as far as there are any."""
    if count is None or count >= len(trials):
        return list(trials)
    generator = random.Random(seed)
    at_commit = [trial for trial in trials if "COMMIT" in trial.description]
    sampled = generator.sample(at_commit, min(len(at_commit), count // 2))
    others = [trial for trial in trials if trial not in sampled]
    return sorted(sampled + generator.sample(others, count - len(sampled)))


class Report:
    """Collects results and prints failed trials.

    :param stream: receives the lines.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.results: list[TrialResult] = []

    @property
    def failed(self) -> list[TrialResult]:
        return [result for result in self.results if not result.passed]

    def add(self, result: TrialResult) -> None:
        self.results.append(result)
        if not result.passed:
            self._print(str(result))

    def print_totals(self) -> None:
        """Print the totals of each suite and of all."""
        for name in dict.fromkeys(result.trial.suite for result in self.results):
            self._print_total(name, [result for result in self.results if result.trial.suite == name])
        self._print_total("all", self.results)

    def _print_total(self, name: str, results: Sequence[TrialResult]) -> None:
        lost = sum(len(result.difference.lost) for result in results)
        unexpected = sum(len(result.difference.unexpected) for result in results)
        problems = sum(bool(result.problems) for result in results)
        seconds = sum(result.seconds for result in results)
        self._print(
            f"{name}: {len(results)} trials, {lost} lost rows, {unexpected} unexpected rows,"
            f" {problems} trials with other problems; {seconds:.0f} s"
        )

    def _print(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()
