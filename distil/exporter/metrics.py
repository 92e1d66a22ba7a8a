# SPDX-License-Identifier: Apache-2.0
"""What a collector counts, in one registry."""

import platform
import re
from collections.abc import Iterable
from collections.abc import Mapping

import prometheus_client

from distil import model
from distil.exporter.page import Pages
from distil.exporter.usage import UsageCounter


class Metrics:
    """The metrics of one collector process.

    :param versions: distribution name -> version, of what the collector runs with; ``distil`` among them.
    """

    def __init__(self, versions: Mapping[str, str]) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        self.last_run_start = self._gauge("last_run_start", "Unix time at which the last run started.")
        self.last_run_end = self._gauge("last_run_end", "Unix time at which the last run ended.")
        self.last_run_duration = self._gauge("last_run_duration_seconds", "How long the last run took.")
        labels = {_label(name): version for name, version in versions.items()}
        labels["python_version"] = platform.python_version()
        build = self._gauge("build_info", "What the collector is and runs with.", tuple(sorted(labels)))
        build.labels(**labels).set(1)
        # The last one: a page ends with its series.
        self._usage = UsageCounter()
        self.registry.register(self._usage)

    def count_usage(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        """Count usage that has been committed."""
        self._usage.add(project_id, usage)

    def pages(self) -> Pages:
        return Pages(self.registry, self._usage.series)

    def _gauge(self, name: str, documentation: str, labels: tuple[str, ...] = ()) -> prometheus_client.Gauge:
        return prometheus_client.Gauge(f"distil_collector_{name}", documentation, labels, registry=self.registry)


def _label(distribution: str) -> str:
    prefix = "" if distribution == "distil" else re.sub(r"\W|-", "_", distribution.lower()) + "_"
    return prefix + "version"
