# SPDX-License-Identifier: Apache-2.0
"""A cache with a lifetime and a bound, for any number of threads."""

import threading
import time
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

Value = TypeVar("Value")


class TTLCache(Generic[Value]):
    """Remembers what ``load`` answered, None too; what it raises goes through and is not remembered.

    :param load: answers for a key. Threads that miss the same key at the same time each ask it.
    :param lifetime: seconds for which an answer is good, counted from the question; or what tells them, by the answer.
    :param size: number of answers kept; the oldest goes first.
    :param clock: seconds that only grow.
    """

    def __init__(
        self,
        load: Callable[[str], Value],
        lifetime: float | Callable[[Value], float],
        *,
        size: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._lifetime = lifetime if callable(lifetime) else lambda _: lifetime
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[float, Value]] = {}

    def get(self, key: str, /) -> Value:
        """The answer for a key, remembered or fresh."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and self._clock() < entry[0]:
            return entry[1]
        return self.refresh(key)

    def refresh(self, key: str, /) -> Value:
        """A fresh answer for a key."""
        asked = self._clock()
        value = self._load(key)
        expiry = asked + self._lifetime(value)
        with self._lock:
            self._entries.pop(key, None)
            while len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (expiry, value)
        return value
