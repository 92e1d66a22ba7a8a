# SPDX-License-Identifier: Apache-2.0
"""What was asked of the cloud."""

import collections
import threading
from typing import Any


class RequestCounter:
    """Counts of the requests by service, method and kind of path."""

    def __init__(self) -> None:
        self._counts: collections.Counter[tuple[str, str, str]] = collections.Counter()
        self._lock = threading.Lock()

    def count(self, service: str, method: str, path: str) -> None:
        """:param path: with a name in place of each id, so that there are never many."""
        with self._lock:
            self._counts[service, method, path] += 1

    def clear(self) -> None:
        """Begin again at zero."""
        with self._lock:
            self._counts.clear()

    def total(self, service: str | None = None) -> int:
        """How many requests there were, to one service or to all."""
        with self._lock:
            return sum(count for (asked, _, _), count in self._counts.items() if service in (None, asked))

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"service": service, "method": method, "path": path, "count": count}
                for (service, method, path), count in sorted(self._counts.items())
            ]
