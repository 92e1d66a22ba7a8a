# SPDX-License-Identifier: Apache-2.0
"""The delay of processes that replace others."""

import multiprocessing
import unittest
import unittest.mock

from distil.daemon.service import RespawnBackoff


class RespawnBackoffTest(unittest.TestCase):
    def setUp(self) -> None:
        self.backoff = RespawnBackoff()
        self.now = 1000.0
        self.enterContext(unittest.mock.patch("time.monotonic", lambda: self.now))

    def test_delay_doubles_up_to_five_minutes(self) -> None:
        delays = []
        for _ in range(12):
            delays.append(self.backoff.delay())
            self.now += delays[-1] + 1
        self.assertEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], delays)

    def test_long_lived_process_respawns_immediately(self) -> None:
        for _ in range(3):
            self.now += self.backoff.delay() + 1
        self.now += 3600
        self.assertEqual(0, self.backoff.delay())

    def test_stopped_process_respawns_immediately(self) -> None:
        for _ in range(3):
            self.now += self.backoff.delay() + 1
        self.backoff.stopped()
        self.assertEqual(0, self.backoff.delay())

    def test_history_is_shared_between_processes(self) -> None:
        process = multiprocessing.get_context("fork").Process(target=self.backoff.delay)
        process.start()
        process.join()
        self.now += 1
        self.assertEqual(1, self.backoff.delay())
