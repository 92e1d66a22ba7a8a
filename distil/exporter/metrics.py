# SPDX-License-Identifier: Apache-2.0
"""What a collector counts, in one registry."""

import platform
import re
import threading
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

import prometheus_client
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from distil import model


class Metrics:
    """The metrics of one collector process.

    :param versions: distribution name -> version, of what the collector runs with; ``distil`` among them.
    """

    def __init__(self, versions: Mapping[str, str]) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        self.last_run_start = self._gauge("last_run_start", "Unix time at which the last run started.")
        self.last_run_end = self._gauge("last_run_end", "Unix time at which the last run ended.")
        self.last_run_duration = self._gauge("last_run_duration_seconds", "How long the last run took.")
        self._usage = _Usage()
        self.registry.register(self._usage)
        labels = {_label(name): version for name, version in versions.items()}
        labels["python_version"] = platform.python_version()
        build = self._gauge("build_info", "What the collector is and runs with.", tuple(sorted(labels)))
        build.labels(**labels).set(1)

    def count_usage(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        """Count usage that has been committed."""
        self._usage.add(project_id, usage)

    def _gauge(self, name: str, documentation: str, labels: tuple[str, ...] = ()) -> prometheus_client.Gauge:
        return prometheus_client.Gauge(f"distil_collector_{name}", documentation, labels, registry=self.registry)


class _Usage(Collector):
    """The usage counter.

    prometheus_client's own Counter adds a ``_created`` series to each series; whether it does is a setting of the
    process, not of a registry.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: dict[tuple[str, str, str], float] = defaultdict(float)

    def add(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        with self._lock:
            for entry in usage:
                self._totals[project_id, entry.service, entry.unit] += float(entry.volume)

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "distil_collector_usage",
            "Usage that was collected and stored since the collector started.",
            labels=("project_id", "service", "unit"),
        )
        with self._lock:
            totals = list(self._totals.items())
        for labels, total in totals:
            family.add_metric(labels, total)
        yield family


def _label(distribution: str) -> str:
    prefix = "" if distribution == "distil" else re.sub(r"\W|-", "_", distribution.lower()) + "_"
    return prefix + "version"
