# SPDX-License-Identifier: Apache-2.0
"""How far back the projects in scope are: the metrics that grow by themselves while nothing is collected."""

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

# Series, however many projects are behind.
MAX_SERIES = 20


class LagCollector(Collector):
    """Knows last collected of each project, and computes what has passed since then when it is asked.

    :param allowed: since a project's last collected, before the project has a series of its own.
    :param clock: seconds since 1970.
    """

    def __init__(self, allowed: datetime.timedelta, clock: Callable[[], float] = time.time) -> None:
        self._allowed = allowed.total_seconds()
        self._clock = clock
        self._collected: dict[str, float] = {}
        self._lock = threading.Lock()

    def replace(self, collected: Mapping[str, datetime.datetime]) -> None:
        """Last collected of every project in scope, by project id."""
        known = {project_id: moment.timestamp() for project_id, moment in collected.items()}
        with self._lock:
            self._collected = known

    def update(self, project_id: str, collected: datetime.datetime) -> None:
        """A project's last collected has moved."""
        moment = collected.timestamp()
        with self._lock:
            self._collected[project_id] = moment

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            collected = dict(self._collected)
        now = self._clock()
        whole = definition("lag_seconds")
        furthest = now - min(collected.values()) if collected else None
        yield GaugeMetricFamily(whole.full_name, whole.documentation, furthest)
        each = definition("project_lag_seconds")
        family = GaugeMetricFamily(each.full_name, each.documentation, labels=each.labels)
        behind = (item for item in collected.items() if now - item[1] > self._allowed)
        for project_id, moment in heapq.nsmallest(MAX_SERIES, behind, key=lambda item: item[1]):
            family.add_metric([project_id], now - moment)
        yield family
