# SPDX-License-Identifier: Apache-2.0
"""Shuts a collector down: no new work, and no transaction interrupted."""

import contextlib
import threading
from collections.abc import Callable
from collections.abc import Iterator

from distil import exceptions


class Shutdown:
    """A request to shut down that all threads of a process see.

    :param on_heartbeat: called as a sign of life by whatever makes progress; feeds the watchdog.
    :ivar event: set when a shutdown is requested.
    :ivar heartbeat: gives a sign of life.
    """

    def __init__(self, on_heartbeat: Callable[[], None] = lambda: None) -> None:
        self.event = threading.Event()
        self.heartbeat = on_heartbeat
        # Reentrant: a signal handler requests the shutdown in the thread that it interrupts.
        self._changed = threading.Condition(threading.RLock())
        self._transactions = 0
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        return self.event.is_set()

    @property
    def in_transaction(self) -> bool:
        return self._transactions > 0

    def raise_if_requested(self) -> None:
        """:raises ShutdownRequested: a shutdown was requested."""
        if self.requested:
            raise exceptions.ShutdownRequested("the collector is shutting down")

    def request(self, timeout: float | None = None) -> bool:
        """Request a shutdown: prevent new transactions, wait for open ones, then call the callbacks.

        :param timeout: seconds to wait for open transactions; None waits as long as they take.
        :returns: whether all transactions have ended.
        """
        self.event.set()
        with self._changed:
            ended = self._changed.wait_for(lambda: not self._transactions, timeout)
        for callback in self._callbacks:
            callback()
        return ended

    def on_request(self, callback: Callable[[], None]) -> None:
        """Register a callback for the end of :meth:`request`."""
        self._callbacks.append(callback)

    def wait(self, seconds: float) -> bool:
        """Sleep until a shutdown is requested, at most for so long.

        :returns: whether it was requested.
        """
        self.heartbeat()
        return self.event.wait(seconds)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Guard a transaction, so that a shutdown waits for it.

        :raises ShutdownRequested: a shutdown was requested before.
        """
        self.heartbeat()
        with self._changed:
            self.raise_if_requested()
            self._transactions += 1
        try:
            yield
        finally:
            with self._changed:
                self._transactions -= 1
                self._changed.notify_all()
