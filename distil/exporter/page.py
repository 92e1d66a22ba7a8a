# SPDX-License-Identifier: Apache-2.0
"""A registry's metrics in a format of Prometheus's."""

import threading
import time

from prometheus_client import exposition
from prometheus_client.registry import CollectorRegistry

OPENMETRICS = "application/openmetrics-text"


class Page:
    """One format, rendered by one thread at a time.

    All who ask while it is being rendered share the next rendering: many clients cost no more than a few, neither time
    nor memory.

    :param accept: an Accept header that names the format.
    """

    def __init__(self, registry: CollectorRegistry, accept: str) -> None:
        self._encode, self.content_type = exposition.choose_encoder(accept)
        self._registry = registry
        self._lock = threading.Lock()
        self._begun = float("-inf")
        self._body = b""

    def body(self) -> bytes:
        """Metrics as they are now or later."""
        asked = time.monotonic()
        with self._lock:
            if self._begun < asked:
                begun = time.monotonic()
                self._body = self._encode(self._registry)
                self._begun = begun
            return self._body


class Pages:
    """Every format."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._text = Page(registry, "")
        self._openmetrics = Page(registry, f"{OPENMETRICS}; version=1.0.0")

    def accepted(self, accept: str) -> Page:
        """OpenMetrics where the Accept header names it, else the text format, which every client reads."""
        kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
        return self._openmetrics if OPENMETRICS in kinds else self._text
