# SPDX-License-Identifier: Apache-2.0
"""Items processed in several threads."""

import threading
import unittest
from unittest import mock

from distil import exceptions
from distil.collector.shutdown import Shutdown
from distil.collector.workers import run_in_threads


class WorkersTest(unittest.TestCase):
    def test_each_item_is_processed_once(self) -> None:
        done: list[int] = []
        run_in_threads(range(1000), done.append, 4, Shutdown())
        self.assertEqual(list(range(1000)), sorted(done))

    def test_items_are_processed_concurrently(self) -> None:
        meeting = threading.Barrier(3, timeout=10)

        def process(_: int) -> None:
            meeting.wait()

        run_in_threads(range(3), process, 3, Shutdown())

    def test_items_are_produced_on_demand(self) -> None:
        made: list[int] = []
        ahead: list[int] = []

        def process(item: int) -> None:
            ahead.append(len(made) - item)

        run_in_threads((made.append(number) or number for number in range(100)), process, 1, Shutdown())  # type: ignore[func-returns-value]
        self.assertEqual({1}, set(ahead))

    def test_item_failure_stops_and_raises(self) -> None:
        done: list[int] = []

        def process(item: int) -> None:
            if item == 3:
                raise exceptions.StoreError("gone")
            done.append(item)

        with self.assertRaisesRegex(exceptions.StoreError, "gone"):
            run_in_threads(range(100), process, 1, Shutdown())
        self.assertEqual([0, 1, 2], done)

    def test_producer_failure_raises(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            run_in_threads((1 // 0 for _ in range(1)), lambda _: None, 2, Shutdown())

    def test_stop_iteration_from_item_raises(self) -> None:
        def process(_: int) -> None:
            raise StopIteration

        with self.assertRaises(StopIteration):
            run_in_threads(range(3), process, 2, Shutdown())

    def test_continues_with_fewer_threads(self) -> None:
        allowed = iter([True, True])
        start = threading.Thread.start

        def limited(thread: threading.Thread) -> None:
            if not next(allowed, False):
                raise RuntimeError("can't start new thread")
            start(thread)

        done: list[int] = []
        with mock.patch.object(threading.Thread, "start", limited):
            run_in_threads(range(20), done.append, 5, Shutdown())
            self.assertEqual(list(range(20)), sorted(done))
            with self.assertRaisesRegex(RuntimeError, "can't start new thread"):
                run_in_threads(range(20), done.append, 5, Shutdown())

    def test_shutdown_abandons_hanging_item(self) -> None:
        shutdown, hang = Shutdown(), threading.Event()
        self.addCleanup(hang.set)
        threading.Timer(0.1, shutdown.request).start()

        def process(_: int) -> None:
            hang.wait(60)

        with self.assertRaises(exceptions.ShutdownRequested):
            run_in_threads([1], process, 2, shutdown)
