# SPDX-License-Identifier: Apache-2.0
"""Tests of what the harness has found: misread responses, a transaction that had not ended, kills in a shutdown."""

import re
import unittest

from distil.tests.support.processes import wait_for
from faults.actions import Action
from faults.actions import Fault
from faults.suites import SUITES_BY_NAME
from faults.testbed import Testbed
from faults.testbed import running_testbed
from faults.trials import Trial
from faults.trials import TrialSuite
from faults.trials import run_trial

SEED = 1
# Request and kind of fault.
MISREAD_RESPONSES = (
    # A response without Swift's headers is not Swift's, and does not mean that the container has no policy.
    (r"HEAD /object-store/.*what%3F", "html-once"),
    (r"HEAD /object-store/.*what%3F", "empty-once"),
    # A proxy's "not found" is not Swift's, nor Cinder's.
    (r"HEAD /object-store/.*what%3F", "proxy-always"),
    (r"GET /volume/.*/volumes/.*", "proxy-once"),
    # An object that is not the volume does not mean that the volume has no type: its usage would be lost.
    (r"GET /volume/.*/volumes/.*", "object-once"),
    # An object that is not the image does not mean that its os_distro is unknown, which is stored permanently.
    (r"GET /image/v2/images/.*", "object-once"),
)


class FaultRegressionTest(unittest.TestCase):
    def test_unexpected_answer_loses_no_usage(self) -> None:
        suite = SUITES_BY_NAME["responses"]
        testbed = self.enterContext(running_testbed(SEED))
        for request, kind in MISREAD_RESPONSES:
            trials = [
                trial
                for trial in suite.trials(testbed)
                if trial.kind == kind and re.fullmatch(f"before {request}", trial.description)
            ]
            self.assertTrue(trials)
            self._assert_passed(testbed, suite, trials)

    def test_failed_commit_does_not_affect_retry(self) -> None:
        suite = SUITES_BY_NAME["statements"]
        testbed = self.enterContext(running_testbed(SEED))
        trials = [
            trial
            for trial in suite.trials(testbed)
            if trial.kind == "table-full" and trial.description == "before COMMIT"
        ]
        self.assertGreater(len(trials), 3)
        self._assert_passed(testbed, suite, trials)

    def test_respawn_at_last_point_exits_with_0(self) -> None:
        """The first process reaches the point in its second run, not in a shutdown."""
        suite = SUITES_BY_NAME["respawns"]
        testbed = self.enterContext(running_testbed(SEED))
        self._assert_passed(testbed, suite, suite.trials(testbed)[-1:])

    def test_kill_in_shutdown_exits_with_1(self) -> None:
        testbed = self.enterContext(running_testbed(SEED))
        testbed.reset()
        launcher = testbed.start_periodic(Fault(testbed.points[-1].number, Action.KILL))
        wait_for(testbed.is_complete)
        launcher.terminate()
        self.assertEqual(1, launcher.wait())

    def _assert_passed(self, testbed: Testbed, suite: TrialSuite, trials: list[Trial]) -> None:
        for trial in trials:
            with self.subTest(trial.command):
                result = run_trial(testbed, suite, trial)
                self.assertTrue(result.passed, str(result))
