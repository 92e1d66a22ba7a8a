# SPDX-License-Identifier: Apache-2.0
"""What a collector makes of the requests that are sent for it."""

from distil.cloud import deadline
from distil.collector.shutdown import Stop
from distil.monitoring.metrics import Metrics


class Watcher(deadline.Watcher):
    """Takes a request for a sign of life, and counts what became of it."""

    def __init__(self, stop: Stop, metrics: Metrics) -> None:
        self._stop = stop
        self._metrics = metrics

    def begins(self) -> None:
        self._stop.live()

    def ended(self, service: str, method: str, status: int | None, seconds: float) -> None:
        self._metrics.requested(service, method, status, seconds)
