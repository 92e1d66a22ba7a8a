# SPDX-License-Identifier: Apache-2.0
"""How a collector stops."""

import threading
import unittest

from distil import exceptions
from distil.collector.shutdown import Shutdown


class ShutdownTest(unittest.TestCase):
    def test_request_waits_for_open_transaction(self) -> None:
        stop = Shutdown()
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

    def test_request_prevents_new_transactions(self) -> None:
        stop = Shutdown()
        stop.request()
        with self.assertRaises(exceptions.ShutdownRequested), stop.transaction():
            self.fail("it began")

    def test_request_interrupts_wait(self) -> None:
        stop = Shutdown()
        threading.Timer(0.05, stop.request).start()
        self.assertTrue(stop.wait(60))
