# SPDX-License-Identifier: Apache-2.0
"""Cost of a collection in total and by project-window."""

import dataclasses
from typing import Any

from benchmarks.deployment import Deployment
from benchmarks.process import Cost


@dataclasses.dataclass(frozen=True)
class CollectionCost:
    """Cost of collecting a number of windows.

    :param collector: cost of the process.
    :param idle: cost of a second process on the same database, which finds nothing due: the cost of startup.
    :param requests: of the first process, by service.
    :param entries: usage entries that it stored.
    """

    project_windows: int
    samples: int
    collector: Cost
    idle: Cost
    requests: dict[str, int]
    entries: int

    @property
    def cpu(self) -> float:
        """CPU time without startup, in seconds."""
        return self.collector.cpu - self.idle.cpu

    @property
    def wall(self) -> float:
        """Wall time without startup, in seconds."""
        return self.collector.wall - self.idle.wall

    def ms_per_window(self, seconds: float) -> float:
        """Convert seconds in total to milliseconds for each project-window."""
        return seconds * 1000 / self.project_windows

    @property
    def requests_per_window(self) -> float:
        return sum(self.requests.values()) / self.project_windows

    def document(self) -> dict[str, Any]:
        """Return all values for JSON."""
        return dataclasses.asdict(self)


def measure_collection(deployment: Deployment, collected: int, windows: int) -> CollectionCost:
    """Measure a collection.

    :param collected: number of windows collected before.
    :param windows: number of windows to collect after those.
    :raises RuntimeError: a collector failed, or stored nothing.
    """
    cloud = deployment.cloud
    size = cloud.size
    entries_before = deployment.count_entries()
    cloud.reset_request_counts()
    collector = deployment.run_collectors(collected + windows)
    requests = cloud.reset_request_counts()
    entries = deployment.count_entries() - entries_before
    if not entries:
        raise RuntimeError(f"the collector stored no usage for a cloud of {size}")
    idle = deployment.run_collectors(collected + windows)
    cloud.reset_request_counts()
    return CollectionCost(size.project_windows * windows, size.samples * windows, collector, idle, requests, entries)
