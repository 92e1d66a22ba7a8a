# SPDX-License-Identifier: Apache-2.0
"""All suites, and how one is run."""

import contextlib
from collections.abc import Iterator

from faults import trials
from faults.answers import Answers
from faults.deaths import Crowds
from faults.deaths import Kills
from faults.deaths import Pauses
from faults.deaths import Successors
from faults.deaths import Threads
from faults.mariadb import Server
from faults.outages import ReadOnly
from faults.outages import Restarts
from faults.statements import Rivals
from faults.statements import Statements
from faults.world import World

_SUITES = (
    Kills(),
    Threads(),
    Pauses(),
    Successors(),
    Crowds(),
    Answers(),
    Statements(),
    Rivals(),
    Restarts(),
    ReadOnly(),
)
BY_NAME: dict[str, trials.Suite] = {suite.name: suite for suite in _SUITES}


def run(
    name: str,
    seed: int,
    report: trials.Report,
    *,
    sample: int | None = None,
    point: int | None = None,
    kind: str | None = None,
) -> None:
    """Run a suite's trials, or those of a point or a kind, or a sample of them."""
    suite = BY_NAME[name]
    left: list[trials.Trial] | None = None
    while left is None or left:
        with _world(suite, seed) as world:
            if left is None:
                wanted = [
                    trial
                    for trial in suite.trials(world)
                    if point in (None, trial.point) and kind in (None, trial.kind)
                ]
                left = trials.chosen(wanted, sample, seed)
            while left and not (suite.up_to_now and world.outdated):
                report.add(trials.judge(world, suite, left.pop(0)))


@contextlib.contextmanager
def _world(suite: trials.Suite, seed: int) -> Iterator[World]:
    with Server() if suite.own_server else contextlib.nullcontext() as server, World(seed, server) as world:
        yield world
