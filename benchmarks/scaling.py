# SPDX-License-Identifier: Apache-2.0
"""How cost grows with the size of the cloud."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.deployment import site
from benchmarks.long_running import resident
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale

# Seconds, and MiB.
WALL, MEMORY = 600.0, 250.0


@dataclasses.dataclass(frozen=True)
class Hours:
    """A process that goes on collects the first hour, then the second, and then finds nothing due.

    Of each: seconds of ``wall`` and ``cpu``, ``windows``, usage ``entries``, ``requests`` by service, and the peak
    ``memory`` up to then, in MiB.
    """

    size: Size
    first: dict[str, Any]
    second: dict[str, Any]
    nothing: dict[str, Any]

    def cpu_a_sample(self) -> float:
        """In the second hour, in microseconds."""
        return float(self.second["cpu"] * 1_000_000 / self.size.samples)

    def cpu_a_window(self) -> float:
        """In the second hour, in milliseconds."""
        return float(self.second["cpu"] * 1000 / self.size.project_windows)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self) | {"samples": self.size.samples}


def large(scale: Scale) -> Result:
    """A large cloud's first and second hour, and those of one that is a tenth of it."""
    numbers = (scale.cloud_projects // 10, scale.cloud_projects)
    small, all_of_it = (_hours(Size(number, scale.resources, 2, scale.latency)) for number in numbers)
    figures = [figure for hour in ("first", "second") for figure in _hour(all_of_it, hour)]
    figures += [
        Figure("CPU a sample, second hour", "µs", [all_of_it.cpu_a_sample()]),
        Figure("peak memory", "MiB", [all_of_it.nothing["memory"]], MEMORY),
        Figure("peak memory, of a tenth's", "times", [all_of_it.nothing["memory"] / small.nothing["memory"]]),
    ]
    return Result(figures, [small.document(), all_of_it.document()])


def growth(scale: Scale) -> Result:
    """The second hour of clouds of several sizes."""
    sizes = [Size(projects, scale.resources, 2) for projects in scale.growth_projects]
    sizes += [Size(scale.few_projects, resources, 2) for resources in scale.growth_resources]
    rounds = [[_hours(size) for _ in range(scale.rounds)] for size in sizes]
    figures = [figure for each in rounds for figure in _size(each)]
    return Result(figures, [hours.document() for each in rounds for hours in each])


def _hours(size: Size) -> Hours:
    """:raises RuntimeError: an hour was not collected."""
    took = []
    with cloud(size) as its_cloud, site(its_cloud) as its, resident(its) as collector:
        for windows in (1, 2, 2):
            its_cloud.requests()
            took.append(collector.run(its.end(windows)) | {"requests": its_cloud.requests()})
    if [each["windows"] for each in took] != [size.project_windows, size.project_windows, 0]:
        raise RuntimeError(f"not every hour was collected once: {took}")
    return Hours(size, *took)


def _hour(hours: Hours, name: str) -> list[Figure]:
    took = dataclasses.asdict(hours)[name]
    return [
        Figure(f"wall time, {name} hour", "s", [took["wall"]], WALL),
        Figure(f"CPU, {name} hour", "s", [took["cpu"]]),
        Figure(
            f"requests a project-window, {name} hour", "", [sum(took["requests"].values()) / hours.size.project_windows]
        ),
    ]


def _size(rounds: Sequence[Hours]) -> list[Figure]:
    size = rounds[0].size
    which = f"projects {size.projects:,}, resources {size.resources}"
    return [
        Figure(f"{which}: CPU a sample", "µs", [each.cpu_a_sample() for each in rounds]),
        Figure(f"{which}: CPU a project-window", "ms", [each.cpu_a_window() for each in rounds]),
        Figure(f"{which}: CPU of a run that finds nothing due", "ms", [each.nothing["cpu"] * 1000 for each in rounds]),
        Figure(f"{which}: peak memory", "MiB", [each.nothing["memory"] for each in rounds], MEMORY),
    ]
