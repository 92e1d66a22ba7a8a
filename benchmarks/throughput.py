# SPDX-License-Identifier: Apache-2.0
"""Parts ``catching-up``, ``latency`` and ``steady``: the collector and the baseline in alternation."""

import dataclasses
from typing import Any

from benchmarks import targets
from benchmarks.cloud import CloudProcess
from benchmarks.cloud import CloudSize
from benchmarks.cloud import running_cloud
from benchmarks.collection import CollectionCost
from benchmarks.collection import measure_collection
from benchmarks.deployment import deployed
from benchmarks.long_running import long_running_collector
from benchmarks.process import Cost
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale

# Projects in a query of the baseline's where one window of each is due.
_PROJECTS_PER_QUERY = 12


@dataclasses.dataclass(frozen=True)
class Round:
    """One measurement of the collector and the baseline.

    :param start: of the first samples, in ISO 8601.
    :param baseline_requests: by service.
    :param baseline_counts: of ``samples`` and usage ``entries``.
    """

    start: str
    collection: CollectionCost
    baseline: Cost
    baseline_requests: dict[str, int]
    baseline_counts: dict[str, int]

    def document(self) -> dict[str, Any]:
        """Return all values for JSON."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class _Targets:
    requests: float
    cpu_ms: float | None = None
    wall_ms: float | None = None
    cpu_ratio: float | None = None


def measure_catching_up(scale: Scale) -> BenchmarkResult:
    """Measure all windows of each project, without latency."""
    limits = _Targets(targets.REQUESTS_CATCHING_UP, cpu_ms=targets.CPU_MS, cpu_ratio=targets.CPU_RATIO_TO_BASELINE)
    return _measure_all_windows(scale, CloudSize(scale.projects, scale.resources, scale.windows), limits)


def measure_latency(scale: Scale) -> BenchmarkResult:
    """Measure all windows of each project, with latency."""
    size = CloudSize(scale.projects, scale.resources, scale.windows, scale.latency)
    return _measure_all_windows(scale, size, _Targets(targets.REQUESTS_CATCHING_UP, wall_ms=targets.WALL_TIME_MS))


def measure_steady_state(scale: Scale) -> BenchmarkResult:
    """Measure the second window of each project. The first, in which all resources are new, is not measured."""
    size = CloudSize(scale.projects, scale.resources, 2)
    with running_cloud(size) as cloud:
        pairs = [
            (_measure_round(cloud, 1, _PROJECTS_PER_QUERY, 1), _measure_second_run(cloud)) for _ in range(scale.rounds)
        ]
    second_runs = [second_run for _, second_run in pairs]
    windows = size.project_windows
    requests = [sum(cost["requests"].values()) / windows for cost in second_runs]
    figures = [
        *_figures([separate for separate, _ in pairs], _Targets(targets.REQUESTS_STEADY)),
        Figure("CPU, long-running process", "ms", [cost["cpu"] * 1000 / windows for cost in second_runs]),
        Figure("wall time, long-running process", "ms", [cost["wall"] * 1000 / windows for cost in second_runs]),
        Figure("requests, long-running process", "", requests, targets.REQUESTS_STEADY),
    ]
    documents = [separate.document() | {"long_running": second_run} for separate, second_run in pairs]
    return BenchmarkResult(figures, documents)


def _measure_all_windows(scale: Scale, size: CloudSize, limits: _Targets) -> BenchmarkResult:
    with running_cloud(size) as cloud:
        rounds = [_measure_round(cloud, 0, 1, size.windows) for _ in range(scale.rounds)]
    return BenchmarkResult(_figures(rounds, limits), [measured.document() for measured in rounds])


def _measure_round(cloud: CloudProcess, skipped: int, projects_per_query: int, windows_per_query: int) -> Round:
    """Measure collector and baseline once.

    :param skipped: number of first windows that are collected before, and not measured.
    :raises RuntimeError: the two did not process the same samples and usage.
    """
    with deployed(cloud) as deployment:
        if skipped:
            deployment.run_collectors(skipped)
        collection = measure_collection(deployment, skipped, cloud.size.windows - skipped)
        baseline = deployment.run_baseline(skipped, projects_per_query, windows_per_query)
    if baseline.counts != {"samples": collection.samples, "entries": collection.entries}:
        raise RuntimeError(f"the baseline processed {baseline.counts}, the collector {collection}")
    requests = cloud.reset_request_counts()
    return Round(cloud.start.isoformat(), collection, baseline.cost, requests, baseline.counts)


def _measure_second_run(cloud: CloudProcess) -> dict[str, Any]:
    """Measure the second run of a long-running process, in which the look-ups of the first are cached."""
    with deployed(cloud) as deployment, long_running_collector(deployment.config) as collector:
        collector.run(deployment.end(1))
        cloud.reset_request_counts()
        return collector.run(deployment.end(2)) | {"requests": cloud.reset_request_counts()}


def _figures(rounds: list[Round], limits: _Targets) -> list[Figure]:
    collections = [measured.collection for measured in rounds]
    baseline_cpu = [measured.collection.ms_per_window(measured.baseline.cpu) for measured in rounds]
    baseline_wall = [measured.collection.ms_per_window(measured.baseline.wall) for measured in rounds]
    total_cpu = [collection.ms_per_window(collection.collector.cpu) for collection in collections]
    total_wall = [collection.ms_per_window(collection.collector.wall) for collection in collections]
    cpu = [collection.ms_per_window(collection.cpu) for collection in collections]
    wall = [collection.ms_per_window(collection.wall) for collection in collections]
    memory = [collection.collector.memory for collection in collections]
    ratio = limits.cpu_ratio
    return [
        Figure("CPU", "ms", total_cpu, limits.cpu_ms),
        Figure("CPU without startup", "ms", cpu),
        Figure("CPU of the baseline", "ms", baseline_cpu),
        Figure("CPU relative to the baseline", "times", _ratios(total_cpu, baseline_cpu), ratio),
        Figure("CPU without startup relative to the baseline", "times", _ratios(cpu, baseline_cpu), ratio),
        Figure("wall time", "ms", total_wall, limits.wall_ms),
        Figure("wall time without startup", "ms", wall),
        Figure("wall time of the baseline", "ms", baseline_wall),
        Figure("requests", "", [collection.requests_per_window for collection in collections], limits.requests),
        Figure("peak memory", "MiB", memory, targets.PEAK_MEMORY_MIB),
    ]


def _ratios(values: list[float], references: list[float]) -> list[float]:
    return [value / reference for value, reference in zip(values, references, strict=True)]
