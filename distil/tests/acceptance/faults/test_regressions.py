# SPDX-License-Identifier: Apache-2.0
"""What the harness has found once: answers taken for something else, and a transaction that was not over."""

import re
import unittest

from faults import suites
from faults.testbed import World
from faults.trials import judge

SEED = 1
FOUND = (
    # Without Swift's headers it does not come from Swift, and does not say that the container has no policy.
    (r"HEAD /object-store/.*what%3F", "html-once"),
    (r"HEAD /object-store/.*what%3F", "empty-once"),
    # An object that is not the volume does not say that the volume has no type: its usage would be lost.
    (r"GET /volume/.*/volumes/.*", "object-once"),
    # Nor does one that is not the image say that its os_distro is unknown, which is kept for good.
    (r"GET /image/v2/images/.*", "object-once"),
)


class FaultRegressionTest(unittest.TestCase):
    def test_unexpected_answer_loses_no_usage(self) -> None:
        suite = suites.BY_NAME["answers"]
        world = self.enterContext(World(SEED))
        for what, kind in FOUND:
            concerned = [
                trial
                for trial in suite.trials(world)
                if trial.kind == kind and re.fullmatch(f"before {what}", trial.what)
            ]
            self.assertTrue(concerned)
            for trial in concerned:
                with self.subTest(trial.command):
                    result = judge(world, suite, trial)
                    self.assertTrue(result.good, str(result))

    def test_failed_commit_does_not_affect_retry(self) -> None:
        suite = suites.BY_NAME["statements"]
        world = self.enterContext(World(SEED))
        concerned = [
            trial for trial in suite.trials(world) if trial.kind == "table-full" and trial.what == "before COMMIT"
        ]
        self.assertGreater(len(concerned), 3)
        for trial in concerned:
            with self.subTest(trial.command):
                result = judge(world, suite, trial)
                self.assertTrue(result.good, str(result))
