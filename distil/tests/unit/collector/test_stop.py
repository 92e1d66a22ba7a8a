# SPDX-License-Identifier: Apache-2.0
"""How a collector stops."""

import threading
import unittest

from distil import exceptions
from distil.collector.shutdown import Stop


class StopTest(unittest.TestCase):
    def test_a_request_returns_only_when_the_open_transaction_has_ended(self) -> None:
        stop = Stop()
        opened, ended, returned = threading.Event(), threading.Event(), threading.Event()

        def transact() -> None:
            with stop.transaction():
                opened.set()
                ended.wait(10)

        def request() -> None:
            stop.request()
            returned.set()

        threads = [threading.Thread(target=transact), threading.Thread(target=request)]
        threads[0].start()
        opened.wait(10)
        threads[1].start()
        self.assertFalse(returned.wait(0.2))
        ended.set()
        self.assertTrue(returned.wait(10))
        for thread in threads:
            thread.join()

    def test_no_transaction_begins_after_a_request(self) -> None:
        stop = Stop()
        stop.request()
        with self.assertRaises(exceptions.Stopped), stop.transaction():
            self.fail("it began")

    def test_a_sleeper_wakes_at_a_request(self) -> None:
        stop = Stop()
        threading.Timer(0.05, stop.request).start()
        self.assertTrue(stop.wait(60))
