# SPDX-License-Identifier: Apache-2.0
"""All suites by name, and how a suite is run."""

import contextlib
from collections.abc import Iterator

from faults.mariadb import running_mariadb
from faults.outage_suites import ReadOnlySuite
from faults.outage_suites import RestartSuite
from faults.process_suites import ConcurrencySuite
from faults.process_suites import KillSuite
from faults.process_suites import PauseSuite
from faults.process_suites import RespawnSuite
from faults.process_suites import ThreadedKillSuite
from faults.recollection_suites import ConcurrentRecollectionSuite
from faults.recollection_suites import RecollectionSuite
from faults.response_suites import ResponseSuite
from faults.statement_suites import LockConflictSuite
from faults.statement_suites import StatementSuite
from faults.testbed import Testbed
from faults.testbed import running_testbed
from faults.trials import Report
from faults.trials import Trial
from faults.trials import TrialSuite
from faults.trials import run_trial
from faults.trials import sample_trials

_SUITES = (
    KillSuite(),
    ThreadedKillSuite(),
    PauseSuite(),
    RespawnSuite(),
    ConcurrencySuite(),
    ResponseSuite(),
    StatementSuite(),
    LockConflictSuite(),
    RestartSuite(),
    ReadOnlySuite(),
    RecollectionSuite(),
    ConcurrentRecollectionSuite(),
)
SUITES_BY_NAME: dict[str, TrialSuite] = {suite.name: suite for suite in _SUITES}


def run_suite(
    name: str,
    seed: int,
    report: Report,
    *,
    sample: int | None = None,
    point: int | None = None,
    kind: str | None = None,
) -> None:
    """Run a suite's trials.

    :param sample: number of trials to sample; None for all.
    :param point: restricts the trials to this fault point.
    :param kind: restricts the trials to this kind.
    """
    suite = SUITES_BY_NAME[name]
    pending: list[Trial] | None = None
    while pending is None or pending:
        with _testbed(suite, seed) as testbed:
            if pending is None:
                matching = [
                    trial
                    for trial in suite.trials(testbed)
                    if point in (None, trial.point) and kind in (None, trial.kind)
                ]
                pending = sample_trials(matching, sample, seed)
            while pending and not (suite.collects_to_now and testbed.is_outdated()):
                report.add(run_trial(testbed, suite, pending.pop(0)))


@contextlib.contextmanager
def _testbed(suite: TrialSuite, seed: int) -> Iterator[Testbed]:
    with (
        running_mariadb() if suite.needs_own_server else contextlib.nullcontext() as server,
        running_testbed(seed, server) as testbed,
    ):
        yield testbed
