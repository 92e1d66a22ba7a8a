# SPDX-License-Identifier: Apache-2.0
"""How many rows one response of a service holds: the service, or a gateway, may cap it below the requested limit."""

import math
import threading
import time
from collections.abc import Callable

# A cap may be lowered at any time, so what was learned is forgotten and proven anew.
_LIFETIME_SECONDS = 300.0


class Capacity:
    """What the newest responses show about the cap of one kind of request. Threads share it.

    A response of n rows shows that the cap is at least n, so a response with fewer rows was not capped.

    :param lifetime: seconds after which everything is forgotten.
    """

    def __init__(self, lifetime: float = _LIFETIME_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._expiry = -math.inf
        # The most rows of a response.
        self._largest = 0
        # Rows beyond which no response is expected: fewer came than were requested and exist.
        self._ceiling = math.inf

    @property
    def largest(self) -> int:
        """The most rows that a response has had."""
        with self._lock:
            self._expire()
            return self._largest

    def record(self, count: int) -> None:
        """Learn from a response of ``count`` rows."""
        with self._lock:
            self._expire()
            self._largest = max(self._largest, count)
            if count > self._ceiling:
                self._ceiling = math.inf

    def exceeds(self, count: int) -> bool:
        """Whether a response is known to hold more than ``count`` rows: one with ``count`` rows was not capped."""
        return self.largest > count

    def may_exceed(self, count: int) -> bool:
        """Whether it is worth a request to find out whether a response holds more than ``count`` rows."""
        with self._lock:
            self._expire()
            return count < self._ceiling

    def limit(self, count: int) -> bool:
        """Learn that there was no response of more than ``count`` rows where one was possible.

        :returns: whether this is news.
        """
        with self._lock:
            self._expire()
            is_news = count < self._ceiling
            self._ceiling = min(self._ceiling, count)
            return is_news

    def _expire(self) -> None:
        now = self._clock()
        if now >= self._expiry:
            self._expiry = now + self._lifetime
            self._largest = 0
            self._ceiling = math.inf
