# SPDX-License-Identifier: Apache-2.0
"""How long a process waits whose predecessors died."""

import multiprocessing
import unittest
import unittest.mock

from distil.daemon.restarts import RespawnBackoff


class RespawnBackoffTest(unittest.TestCase):
    def setUp(self) -> None:
        self.restarts = RespawnBackoff()
        self.now = 1000.0
        self.enterContext(unittest.mock.patch("time.monotonic", lambda: self.now))

    def test_delay_doubles_up_to_five_minutes(self) -> None:
        delays = []
        for _ in range(12):
            delays.append(self.restarts.delay())
            self.now += delays[-1] + 1
        self.assertEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], delays)

    def test_long_lived_process_respawns_immediately(self) -> None:
        for _ in range(3):
            self.now += self.restarts.delay() + 1
        self.now += 3600
        self.assertEqual(0, self.restarts.delay())

    def test_stopped_process_respawns_immediately(self) -> None:
        for _ in range(3):
            self.now += self.restarts.delay() + 1
        self.restarts.stopped()
        self.assertEqual(0, self.restarts.delay())

    def test_history_is_shared_between_processes(self) -> None:
        process = multiprocessing.get_context("fork").Process(target=self.restarts.delay)
        process.start()
        process.join()
        self.now += 1
        self.assertEqual(1, self.restarts.delay())
