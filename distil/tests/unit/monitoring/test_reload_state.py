# SPDX-License-Identifier: Apache-2.0
"""What became of the last reload, as the processes know it."""

import datetime
import os
import unittest

from distil.monitoring.reload_state import ReloadState

NOW = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
PREFIX = "SIGHUP at 2026-01-02 03:00:00 UTC: the new configuration is not in force, and a restart may fail: "


class ReloadStateTest(unittest.TestCase):
    def setUp(self) -> None:
        self.state = ReloadState()

    def test_refusal_lasts_until_success(self) -> None:
        self.assertEqual([], self.state.problems())
        self.state.refuse(NOW, "one\ntwo")
        self.assertEqual([f"{PREFIX}one; two"], self.state.problems())
        self.state.accept()
        self.assertEqual([], self.state.problems())

    def test_forked_process_sees_later_refusal(self) -> None:
        (received, ready), (done, sent) = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(received, 1)
            os.write(sent, self.state.problems()[0].encode())
            os._exit(0)
        self.state.refuse(NOW, "one")
        os.write(ready, b"x")
        self.assertEqual(f"{PREFIX}one", os.read(done, 1000).decode())
        os.waitpid(pid, 0)
        for descriptor in (received, ready, done, sent):
            os.close(descriptor)

    def test_long_and_hostile_reason_is_shortened(self) -> None:
        self.state.refuse(NOW, "\ud800\0" + 4000 * "é")
        (problem,) = self.state.problems()
        self.assertTrue(problem.startswith(f"{PREFIX}\\ud800\\0ééé"), problem)
        self.assertLess(len(problem), 2000)
