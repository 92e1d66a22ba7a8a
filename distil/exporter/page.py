# SPDX-License-Identifier: Apache-2.0
"""A registry's metrics in a format of Prometheus's."""

import threading
import time
from collections.abc import Callable

from prometheus_client import exposition
from prometheus_client.registry import CollectorRegistry

OPENMETRICS = "application/openmetrics-text"

_END = b"# EOF\n"


class Page:
    """One format, rendered by one thread at a time.

    All who ask while it is being rendered share the next rendering: many clients cost no more than a few, neither time
    nor memory.

    :param accept: an Accept header that names the format.
    :param series: renders series of the registry's last metric, which are not in the registry.
    """

    def __init__(self, registry: CollectorRegistry, accept: str, series: Callable[[], bytes] = bytes) -> None:
        self._encode, self.content_type = exposition.choose_encoder(accept)
        self._registry = registry
        self._series = series
        self._lock = threading.Lock()
        self._begun = float("-inf")
        self._body = b""

    def body(self) -> bytes:
        """Metrics as they are now or later."""
        asked = time.monotonic()
        with self._lock:
            if self._begun < asked:
                begun = time.monotonic()
                self._body = self._render()
                self._begun = begun
            return self._body

    def _render(self) -> bytes:
        page = self._encode(self._registry)
        metrics = page.removesuffix(_END)
        return metrics + self._series() + page[len(metrics) :]


class Pages:
    """Every format.

    :param series: see :class:`Page`.
    """

    def __init__(self, registry: CollectorRegistry, series: Callable[[], bytes] = bytes) -> None:
        self._text = Page(registry, "", series)
        self._openmetrics = Page(registry, f"{OPENMETRICS}; version=1.0.0", series)

    def accepted(self, accept: str) -> Page:
        """OpenMetrics where the Accept header names it, else the text format, which every client reads."""
        kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
        return self._openmetrics if OPENMETRICS in kinds else self._text
