# SPDX-License-Identifier: Apache-2.0
"""The short version: a sample of each suite's trials, from a fixed seed. ``tox -e faults`` runs all of them."""

import sys
import unittest
from typing import ClassVar

from faults import suites
from faults.trials import Report

SEED = 1


class _Sample:
    class SampleTest(unittest.TestCase):
        SUITE: ClassVar[str]
        TRIALS: ClassVar[int]

        def test_no_row_is_lost_or_doubled(self) -> None:
            report = Report(_say)
            suites.run(self.SUITE, SEED, report, sample=self.TRIALS)
            report.total()
            self.assertEqual(self.TRIALS, len(report.results))
            if report.bad:
                self.fail("\n".join(map(str, report.bad)))


class KillsTest(_Sample.SampleTest):
    SUITE, TRIALS = "kills", 24


class ThreadsTest(_Sample.SampleTest):
    SUITE, TRIALS = "threads", 8


class PausesTest(_Sample.SampleTest):
    SUITE, TRIALS = "pauses", 8


class SuccessorsTest(_Sample.SampleTest):
    SUITE, TRIALS = "successors", 4


class CrowdsTest(_Sample.SampleTest):
    SUITE, TRIALS = "crowds", 10


class AnswersTest(_Sample.SampleTest):
    SUITE, TRIALS = "answers", 14


class StatementsTest(_Sample.SampleTest):
    SUITE, TRIALS = "statements", 16


class RivalsTest(_Sample.SampleTest):
    SUITE, TRIALS = "rivals", 2


class RestartsTest(_Sample.SampleTest):
    SUITE, TRIALS = "restarts", 8


class ReadOnlyTest(_Sample.SampleTest):
    SUITE, TRIALS = "read-only", 4


def _say(line: str) -> None:
    # Standard output is the test runner's.
    sys.stderr.write(f"{line}\n")
