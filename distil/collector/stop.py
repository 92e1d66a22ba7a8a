# SPDX-License-Identifier: Apache-2.0
"""How a collector stops: no new work, and no transaction cut in two."""

import contextlib
import threading
from collections.abc import Callable
from collections.abc import Iterator

from distil import exceptions


class Stop:
    """A request to stop, seen by all threads of a process.

    :param on_activity: called whenever somebody looks whether to stop, which is a sign of life; :attr:`live` gives one
        more.
    """

    def __init__(self, on_activity: Callable[[], None] = lambda: None) -> None:
        self.event = threading.Event()
        self.live = on_activity
        self._transaction = threading.Lock()
        self._last_words: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        self.live()
        return self.event.is_set()

    @property
    def in_transaction(self) -> bool:
        return self._transaction.locked()

    def request(self, patience: float = -1) -> bool:
        """Ask to stop, and do what is to be done then. No transaction is begun any more.

        :param patience: seconds to wait for the transaction that is open, if one is; negative: as long as it takes.
        :returns: whether none is open any more.
        """
        self.event.set()
        ended = self._transaction.acquire(timeout=patience)
        if ended:
            self._transaction.release()
        for action in self._last_words:
            action()
        return ended

    def then(self, action: Callable[[], None]) -> None:
        """Have something done by whoever requests a stop."""
        self._last_words.append(action)

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until a stop is requested. True: it is."""
        self.live()
        return self.event.wait(seconds)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Around a transaction, which a stop then waits for.

        :raises Stopped: a stop was requested before it began.
        """
        with self._transaction:
            if self.requested:
                raise exceptions.Stopped("the collector is stopping")
            yield
