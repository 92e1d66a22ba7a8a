# SPDX-License-Identifier: Apache-2.0
"""A thread-safe cache with a limited lifetime and size."""

import threading
import time
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

Value = TypeVar("Value")


class TTLCache(Generic[Value]):
    """Caches the values that ``load`` returns, None included; its exceptions are raised and not cached.

    :param load: returns the value of a key. Threads that miss the same key at the same time each call it.
    :param lifetime: seconds for which a value is valid, from the call of ``load``.
    :param size: maximum number of values; the oldest is evicted first.
    :param clock: monotonic time in seconds.
    """

    def __init__(
        self,
        load: Callable[[str], Value],
        lifetime: float,
        *,
        size: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._lifetime = lifetime
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[float, Value]] = {}

    def get(self, key: str, /) -> Value:
        """The value of a key, cached or loaded."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and self._clock() < entry[0]:
            return entry[1]
        return self.refresh(key)

    def refresh(self, key: str, /) -> Value:
        """The value of a key, loaded again."""
        loaded_at = self._clock()
        value = self._load(key)
        expires_at = loaded_at + self.lifetime(value)
        with self._lock:
            self._entries.pop(key, None)
            while len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (expires_at, value)
        return value

    def lifetime(self, value: Value) -> float:
        """Seconds for which a value is valid; a subclass may make them depend on the value."""
        return self._lifetime
