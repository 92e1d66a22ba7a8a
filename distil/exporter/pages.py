# SPDX-License-Identifier: Apache-2.0
"""A registry's metrics in a format of Prometheus's."""

from collections.abc import Callable

from prometheus_client import exposition
from prometheus_client.registry import CollectorRegistry

from distil.exporter.resource import CoalescedRender
from distil.exporter.resource import Response
from distil.exporter.resource import parse_accept

OPENMETRICS = "application/openmetrics-text"

_END = b"# EOF\n"


class MetricsFormat:
    """One format.

    :param accept: an Accept header that names the format.
    :param series: renders series of the registry's last metric, which are not in the registry.
    """

    def __init__(self, registry: CollectorRegistry, accept: str, series: Callable[[], bytes] = bytes) -> None:
        self._encode, self._content_type = exposition.choose_encoder(accept)
        self._registry = registry
        self._series = series
        self._rendering = CoalescedRender(self._render)

    def render(self) -> Response:
        """Metrics as they are now or later."""
        return Response(self._content_type, self._rendering.body())

    def _render(self) -> bytes:
        page = self._encode(self._registry)
        metrics = page.removesuffix(_END)
        return metrics + self._series() + page[len(metrics) :]


class MetricsPage:
    """Every format.

    :param series: see :class:`Page`.
    """

    def __init__(self, registry: CollectorRegistry, series: Callable[[], bytes] = bytes) -> None:
        self._text = MetricsFormat(registry, "", series)
        self._openmetrics = MetricsFormat(registry, f"{OPENMETRICS}; version=1.0.0", series)

    def render(self, accept: str) -> Response:
        """OpenMetrics where the Accept header names it, else the text format, which every client reads."""
        return (self._openmetrics if OPENMETRICS in parse_accept(accept) else self._text).render()
