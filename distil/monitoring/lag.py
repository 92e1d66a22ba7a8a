# SPDX-License-Identifier: Apache-2.0
"""The lag of the projects in scope, computed at every scrape, so that it grows while nothing is collected."""

import datetime
import heapq
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from distil.monitoring.definitions import definition

# Series of projects, which limits their number when the whole cloud lags.
_MAX_SERIES = 20


class LagCollector(Collector):
    """Exports the time since last collected. Threads may share it.

    :param allowed: the normal lag; a project with a larger one has its own series.
    :param clock: returns seconds since 1970.
    """

    def __init__(self, allowed: datetime.timedelta, clock: Callable[[], float] = time.time) -> None:
        self._allowed = allowed.total_seconds()
        self._clock = clock
        self._last_collected: dict[str, float] = {}
        self._lock = threading.Lock()

    def replace(self, last_collected: Mapping[str, datetime.datetime]) -> None:
        """Sets last collected of all projects in scope, by project ID."""
        timestamps = {project_id: moment.timestamp() for project_id, moment in last_collected.items()}
        with self._lock:
            self._last_collected = timestamps

    def update(self, project_id: str, last_collected: datetime.datetime) -> None:
        """Sets last collected of one project."""
        timestamp = last_collected.timestamp()
        with self._lock:
            self._last_collected[project_id] = timestamp

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            last_collected = dict(self._last_collected)
        now = self._clock()
        largest = definition("lag_seconds")
        lag = now - min(last_collected.values()) if last_collected else None
        yield GaugeMetricFamily(largest.full_name, largest.documentation, lag)
        by_project = definition("project_lag_seconds")
        family = GaugeMetricFamily(by_project.full_name, by_project.documentation, labels=by_project.labels)
        lagging = (item for item in last_collected.items() if now - item[1] > self._allowed)
        for project_id, timestamp in heapq.nsmallest(_MAX_SERIES, lagging, key=lambda item: item[1]):
            family.add_metric([project_id], now - timestamp)
        yield family
