# SPDX-License-Identifier: Apache-2.0
"""How a collector stops: no new work, and no transaction cut in two."""

import contextlib
import threading
from collections.abc import Callable
from collections.abc import Iterator

from distil import exceptions


class Shutdown:
    """A request to stop, seen by all threads of a process.

    :param on_activity: called whenever somebody looks whether to stop, which is a sign of life; :attr:`live` gives one
        more.
    """

    def __init__(self, on_activity: Callable[[], None] = lambda: None) -> None:
        self.event = threading.Event()
        self.heartbeat = on_activity
        # Reentrant, because a signal's handler asks in the thread that it interrupts.
        self._changed = threading.Condition(threading.RLock())
        self._transactions = 0
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        self.heartbeat()
        return self.event.is_set()

    @property
    def in_transaction(self) -> bool:
        return self._transactions > 0

    def request(self, patience: float | None = None) -> bool:
        """Ask to stop, and do what is to be done then. No transaction is begun any more.

        :param patience: seconds to wait for the transactions that are open; None: as long as they take.
        :returns: whether none is open any more.
        """
        self.event.set()
        with self._changed:
            ended = self._changed.wait_for(lambda: not self._transactions, patience)
        for action in self._callbacks:
            action()
        return ended

    def on_request(self, action: Callable[[], None]) -> None:
        """Have something done by whoever requests a stop."""
        self._callbacks.append(action)

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until a stop is requested. True: it is."""
        self.heartbeat()
        return self.event.wait(seconds)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Around a transaction, which a stop then waits for.

        :raises Stopped: a stop was requested before it began.
        """
        with self._changed:
            if self.requested:
                raise exceptions.ShutdownRequested("the collector is stopping")
            self._transactions += 1
        try:
            yield
        finally:
            with self._changed:
                self._transactions -= 1
                self._changed.notify_all()
