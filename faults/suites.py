# SPDX-License-Identifier: Apache-2.0
"""All suites, and how one is run."""

import contextlib
from collections.abc import Iterator

from faults import trials
from faults.mariadb import Server
from faults.outage_suites import ReadOnly
from faults.outage_suites import Restarts
from faults.process_suites import Crowds
from faults.process_suites import Kills
from faults.process_suites import Pauses
from faults.process_suites import Successors
from faults.process_suites import Threads
from faults.response_suite import Answers
from faults.statement_suites import Rivals
from faults.statement_suites import Statements
from faults.testbed import World

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
