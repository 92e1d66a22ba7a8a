# SPDX-License-Identifier: Apache-2.0
"""What a collector makes of the requests that are sent for it."""

from distil.cloud.request_observer import RequestObserver
from distil.collector.shutdown import Shutdown
from distil.monitoring.metrics import Metrics


class Watcher(RequestObserver):
    """Takes a request for a sign of life, and counts what became of it."""

    def __init__(self, stop: Shutdown, metrics: Metrics) -> None:
        self._stop = stop
        self._metrics = metrics

    def on_request(self) -> None:
        self._stop.heartbeat()

    def on_response(self, service: str, method: str, status: int | None, seconds: float) -> None:
        self._metrics.count_request(service, method, status, seconds)
