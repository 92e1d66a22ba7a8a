# SPDX-License-Identifier: Apache-2.0
"""From the options to the exporter."""

import datetime
import ssl
from collections.abc import Callable

from distil import tls
from distil.conf.collector import CollectorOptions
from distil.exporter.health_page import HealthPage
from distil.exporter.pages import MetricsPage
from distil.exporter.pages import Page
from distil.exporter.server import Exporter
from distil.exporter.status_page import StatusPage
from distil.monitoring.history import History
from distil.monitoring.metrics import Metrics


def build_exporter(
    options: CollectorOptions,
    worker: int,
    history: History,
    metrics: Metrics,
    clock: Callable[[], datetime.datetime],
) -> Exporter | None:
    """The exporter, bound to its port and not started yet; None if it is disabled.

    :param worker: number of the process among those of the collector.
    :param clock: the time, aware and in UTC.
    :raises ConfigurationError: the address cannot be bound, or a TLS file cannot be used.
    """
    if not options.enable_exporter:
        return None
    pages: dict[str, Page] = {
        "/": StatusPage(history.snapshot, clock),
        "/health": HealthPage(history.snapshot, clock),
        "/metrics": MetricsPage(metrics.registry, metrics.usage_series),
    }
    return Exporter(pages, options.exporter_host, options.exporter_ports[worker], tls_context(options))


def tls_context(options: CollectorOptions) -> ssl.SSLContext | None:
    """The exporter's TLS context; None for plain HTTP, or without an exporter.

    :raises ConfigurationError: a file cannot be used.
    """
    if not options.enable_exporter:
        return None
    return tls.server_context(options.exporter_certfile, options.exporter_keyfile, options.exporter_client_cafile)
