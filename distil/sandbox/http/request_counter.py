# SPDX-License-Identifier: Apache-2.0
"""Counts of the requests that the cloud received."""

import collections
import threading
from typing import Any


class RequestCounter:
    """Counts requests by service, method and route."""

    def __init__(self) -> None:
        self._counts: collections.Counter[tuple[str, str, str]] = collections.Counter()
        self._lock = threading.Lock()

    def count(self, service: str, method: str, path: str) -> None:
        """Count one request.

        :param path: the route's template, so that the number of counts stays small.
        """
        with self._lock:
            self._counts[service, method, path] += 1

    def clear(self) -> None:
        """Reset all counts."""
        with self._lock:
            self._counts.clear()

    def total(self, service: str | None = None) -> int:
        """Return the number of requests to a service, or to all services."""
        with self._lock:
            return sum(count for (name, _, _), count in self._counts.items() if service in (None, name))

    def describe(self) -> list[dict[str, Any]]:
        """Return all counts, for JSON."""
        with self._lock:
            return [
                {"service": service, "method": method, "path": path, "count": count}
                for (service, method, path), count in sorted(self._counts.items())
            ]
