# SPDX-License-Identifier: Apache-2.0
"""A collection's cost, with what it is to be divided by."""

import dataclasses
from typing import Any

from benchmarks.deployment import Site
from benchmarks.process import Cost


@dataclasses.dataclass(frozen=True)
class Collection:
    """:param collector: the process as a whole.
    :param nothing: a second process on the same database, which finds nothing due: what a start costs.
    :param requests: the first one's, by service.
    :param entries: usage entries that it stored.
    """

    project_windows: int
    samples: int
    collector: Cost
    nothing: Cost
    requests: dict[str, int]
    entries: int

    @property
    def cpu(self) -> float:
        """Seconds, without those of a start."""
        return self.collector.cpu - self.nothing.cpu

    @property
    def wall(self) -> float:
        """Seconds, without those of a start."""
        return self.collector.wall - self.nothing.wall

    def a_window(self, seconds: float) -> float:
        """Milliseconds a project-window."""
        return seconds * 1000 / self.project_windows

    @property
    def requests_a_window(self) -> float:
        return sum(self.requests.values()) / self.project_windows

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)


def collect(its: Site, before: int, windows: int) -> Collection:
    """Collect the windows after those ``before``, which have been collected, and then nothing.

    :raises RuntimeError: a collector failed, or stored nothing.
    """
    size = its.cloud.size
    stored = its.entries()
    its.cloud.requests()
    collector = its.collect(before + windows)
    requests = its.cloud.requests()
    entries = its.entries() - stored
    if not entries:
        raise RuntimeError(f"nothing was stored of {size}")
    nothing = its.collect(before + windows)
    its.cloud.requests()
    return Collection(size.project_windows * windows, size.samples * windows, collector, nothing, requests, entries)
