# SPDX-License-Identifier: Apache-2.0
"""How many rows one response of a service holds: the service, or a gateway, may cap it below the requested limit."""

import collections
import math
import threading
import time
from collections.abc import Callable

# A cap may be lowered at any time, so what was learned is forgotten and proven anew.
_LIFETIME_SECONDS = 60.0

# A response that is larger refutes a supposed cap at once.
_CEILING_LIFETIME_SECONDS = 300.0

# People choose caps like 100, 250 or 1024.
_USUAL_MULTIPLE = 50
_MIN_USUAL_POWER = 64


class Capacity:
    """What the newest responses show about the cap of one kind of request. Threads share it.

    A response of n rows shows that the cap is at least n, so a response with fewer rows was not capped.

    :param lifetime: seconds after which a response no longer shows anything.
    """

    def __init__(self, lifetime: float = _LIFETIME_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        # Time and number of rows of each response that no later one exceeds: the numbers decrease.
        self._largest: collections.deque[tuple[float, int]] = collections.deque()
        # Rows beyond which no response is expected: fewer came than were requested and exist.
        self._ceiling = math.inf
        self._ceiling_expiry = math.inf

    def record(self, count: int) -> None:
        """Learn from a response of ``count`` rows."""
        with self._lock:
            now = self._expire()
            while self._largest and self._largest[-1][1] <= count:
                self._largest.pop()
            self._largest.append((now, count))
            if count > self._ceiling:
                self._ceiling = math.inf

    def forget(self) -> None:
        """Take no response for complete by what was learned: the service may have been restarted with another cap."""
        with self._lock:
            self._largest.clear()

    def exceeds(self, count: int) -> bool:
        """Whether a response is known to hold more than ``count`` rows: one with ``count`` rows was not capped.

        Of a usual cap this is never known from earlier responses: it may just have been introduced.
        """
        with self._lock:
            self._expire()
            return not is_usual_cap(count) and bool(self._largest) and self._largest[0][1] > count

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
            now = self._expire()
            is_news = count < self._ceiling
            if is_news:
                self._ceiling, self._ceiling_expiry = count, now + _CEILING_LIFETIME_SECONDS
            return is_news

    def _expire(self) -> float:
        """:returns: the time."""
        now = self._clock()
        while self._largest and now - self._largest[0][0] >= self._lifetime:
            self._largest.popleft()
        if now >= self._ceiling_expiry:
            self._ceiling = math.inf
        return now


def is_usual_cap(count: int) -> bool:
    """Whether people choose ``count`` for a cap, so that a response of as many rows is suspect."""
    is_power_of_two = count & (count - 1) == 0
    return count > 0 and (count % _USUAL_MULTIPLE == 0 or (is_power_of_two and count >= _MIN_USUAL_POWER))
