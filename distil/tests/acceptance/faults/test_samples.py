# SPDX-License-Identifier: Apache-2.0
"""A sample of each suite's trials, with a fixed seed. ``tox -e faults`` runs all trials."""

import sys
import unittest
from typing import ClassVar

from faults.suites import run_suite
from faults.trials import Report

SEED = 1


class _Sample:
    class SampleTest(unittest.TestCase):
        SUITE: ClassVar[str]
        TRIALS: ClassVar[int]

        def test_no_row_is_lost_or_doubled(self) -> None:
            # Standard output is the test runner's.
            report = Report(sys.stderr)
            run_suite(self.SUITE, SEED, report, sample=self.TRIALS)
            report.print_totals()
            self.assertEqual(self.TRIALS, len(report.results))
            if report.failed:
                self.fail("\n".join(map(str, report.failed)))


class KillSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "kills", 24


class ThreadedKillSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "threads", 8


class PauseSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "pauses", 8


class RespawnSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "respawns", 4


class ConcurrencySuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "concurrency", 10


class ResponseSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "responses", 14


class StatementSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "statements", 16


class LockConflictSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "lock-conflicts", 2


class RestartSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "restarts", 8


class ReadOnlySuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "read-only", 4


class RecollectionSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "recollections", 20


class ConcurrentRecollectionSuiteTest(_Sample.SampleTest):
    SUITE, TRIALS = "concurrent-recollections", 6
