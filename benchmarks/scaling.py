# SPDX-License-Identifier: Apache-2.0
"""Parts ``cloud`` and ``growth``: how cost grows with the size of the cloud."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from benchmarks import targets
from benchmarks.cloud import CloudSize
from benchmarks.cloud import running_cloud
from benchmarks.deployment import deployed
from benchmarks.long_running import long_running_collector
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale


@dataclasses.dataclass(frozen=True)
class HourlyCosts:
    """Costs of three runs of a long-running process: the first hour, the second hour, and one with nothing due.

    Each has ``wall`` and ``cpu`` time in seconds, numbers of ``windows`` and usage ``entries``, ``requests`` by
    service, and the peak ``memory`` so far in MiB.
    """

    size: CloudSize
    first: dict[str, Any]
    second: dict[str, Any]
    idle: dict[str, Any]

    def cpu_per_sample(self) -> float:
        """Return the CPU time for each sample of the second hour, in microseconds."""
        return float(self.second["cpu"] * 1_000_000 / self.size.samples)

    def cpu_per_window(self) -> float:
        """Return the CPU time for each project-window of the second hour, in milliseconds."""
        return float(self.second["cpu"] * 1000 / self.size.project_windows)

    def document(self) -> dict[str, Any]:
        """Return the costs for JSON."""
        return dataclasses.asdict(self) | {"samples": self.size.samples}


def measure_large_cloud(scale: Scale) -> BenchmarkResult:
    """Measure the first and second hour of a large cloud, and of one a tenth as large."""
    numbers = (scale.cloud_projects // 10, scale.cloud_projects)
    small, large = (_measure_hours(CloudSize(number, scale.resources, 2, scale.latency)) for number in numbers)
    figures = [figure for hour in ("first", "second") for figure in _hour_figures(large, hour)]
    figures += [
        Figure("CPU per sample, second hour", "µs", [large.cpu_per_sample()]),
        Figure("peak memory", "MiB", [large.idle["memory"]], targets.PEAK_MEMORY_MIB),
        Figure(
            "peak memory relative to a tenth of the projects", "times", [large.idle["memory"] / small.idle["memory"]]
        ),
    ]
    return BenchmarkResult(figures, [small.document(), large.document()])


def measure_growth(scale: Scale) -> BenchmarkResult:
    """Measure the second hour of clouds of several sizes."""
    sizes = [CloudSize(projects, scale.resources, 2) for projects in scale.growth_projects]
    sizes += [CloudSize(scale.few_projects, resources, 2) for resources in scale.growth_resources]
    costs_by_size = [[_measure_hours(size) for _ in range(scale.rounds)] for size in sizes]
    figures = [figure for rounds in costs_by_size for figure in _size_figures(rounds)]
    return BenchmarkResult(figures, [costs.document() for rounds in costs_by_size for costs in rounds])


def _measure_hours(size: CloudSize) -> HourlyCosts:
    """:raises RuntimeError: an hour was not collected completely."""
    costs = []
    with (
        running_cloud(size) as cloud,
        deployed(cloud) as deployment,
        long_running_collector(deployment.config) as collector,
    ):
        for windows in (1, 2, 2):
            cloud.reset_request_counts()
            costs.append(collector.run(deployment.end(windows)) | {"requests": cloud.reset_request_counts()})
    if [cost["windows"] for cost in costs] != [size.project_windows, size.project_windows, 0]:
        raise RuntimeError(f"not every hour was collected completely: {costs}")
    return HourlyCosts(size, *costs)


def _hour_figures(costs: HourlyCosts, hour: str) -> list[Figure]:
    cost = dataclasses.asdict(costs)[hour]
    requests = sum(cost["requests"].values()) / costs.size.project_windows
    return [
        Figure(f"wall time, {hour} hour", "s", [cost["wall"]], targets.LARGE_CLOUD_HOUR_SECONDS),
        Figure(f"CPU, {hour} hour", "s", [cost["cpu"]]),
        Figure(f"requests per project-window, {hour} hour", "", [requests]),
    ]


def _size_figures(rounds: Sequence[HourlyCosts]) -> list[Figure]:
    size = rounds[0].size
    name = f"projects {size.projects:,}, resources {size.resources}"
    memory = [costs.idle["memory"] for costs in rounds]
    return [
        Figure(f"{name}: CPU per sample", "µs", [costs.cpu_per_sample() for costs in rounds]),
        Figure(f"{name}: CPU per project-window", "ms", [costs.cpu_per_window() for costs in rounds]),
        Figure(f"{name}: CPU of a run with nothing due", "ms", [costs.idle["cpu"] * 1000 for costs in rounds]),
        Figure(f"{name}: peak memory", "MiB", memory, targets.PEAK_MEMORY_MIB),
    ]
