# SPDX-License-Identifier: Apache-2.0
"""Pages and their responses, and the page of metrics."""

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from prometheus_client import exposition
from prometheus_client.registry import CollectorRegistry

# For pages that are only valid now and contain text from elsewhere.
NO_STORE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

OPENMETRICS = "application/openmetrics-text"

_OPENMETRICS_EOF = b"# EOF\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """A response to a request.

    :param headers: additional to Content-Type, Content-Length and Connection.
    """

    content_type: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Page(Protocol):
    """Anything that is served at a path."""

    def render(self, accept: str) -> Response:
        """Renders the state at the time of the call or later.

        :param accept: value of the Accept header.
        """


class CoalescedRender:
    """Renders a body in one thread at a time.

    Callers that arrive while a body is being rendered share the next one, so that many clients cost no more time and
    memory than a few.
    """

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._lock = threading.Lock()
        self._started = float("-inf")
        self._body = b""

    def body(self) -> bytes:
        """Returns a body whose rendering started after the call."""
        called = time.monotonic()
        with self._lock:
            if self._started < called:
                started = time.monotonic()
                self._body = self._render()
                self._started = started
            return self._body


def parse_accept(accept: str) -> frozenset[str]:
    """Returns the media types in an Accept header."""
    return frozenset(part.partition(";")[0].strip().lower() for part in accept.split(","))


class MetricsFormat:
    """Renders a registry in one exposition format of Prometheus.

    :param accept: an Accept header that selects the format.
    :param series: renders additional series of the registry's last metric.
    """

    def __init__(self, registry: CollectorRegistry, accept: str, series: Callable[[], bytes] = bytes) -> None:
        self._encode, self._content_type = exposition.choose_encoder(accept)
        self._registry = registry
        self._series = series
        self._rendering = CoalescedRender(self._render)

    def render(self) -> Response:
        return Response(self._content_type, self._rendering.body())

    def _render(self) -> bytes:
        page = self._encode(self._registry)
        metrics = page.removesuffix(_OPENMETRICS_EOF)
        return metrics + self._series() + page[len(metrics) :]


class MetricsPage:
    """Serves a registry in the text format or in OpenMetrics.

    :param series: see :class:`MetricsFormat`.
    """

    def __init__(self, registry: CollectorRegistry, series: Callable[[], bytes] = bytes) -> None:
        self._text = MetricsFormat(registry, "", series)
        self._openmetrics = MetricsFormat(registry, f"{OPENMETRICS}; version=1.0.0", series)

    def render(self, accept: str) -> Response:
        """Renders OpenMetrics if the Accept header names it, else the text format, which every client reads."""
        return (self._openmetrics if OPENMETRICS in parse_accept(accept) else self._text).render()
