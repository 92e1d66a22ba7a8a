# SPDX-License-Identifier: Apache-2.0
"""Shutting a collector down."""

import threading
import unittest

from distil import exceptions
from distil.collector.shutdown import Shutdown


class ShutdownTest(unittest.TestCase):
    def test_request_waits_for_open_transaction(self) -> None:
        shutdown = Shutdown()
        opened, ended, returned = threading.Event(), threading.Event(), threading.Event()

        def transact() -> None:
            with shutdown.transaction():
                opened.set()
                ended.wait(10)

        def request() -> None:
            shutdown.request()
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
        shutdown = Shutdown()
        shutdown.request()
        with self.assertRaises(exceptions.ShutdownRequested), shutdown.transaction():
            self.fail("a transaction started")

    def test_request_interrupts_wait(self) -> None:
        shutdown = Shutdown()
        threading.Timer(0.05, shutdown.request).start()
        self.assertTrue(shutdown.wait(60))
