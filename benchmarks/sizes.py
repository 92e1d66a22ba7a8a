# SPDX-License-Identifier: Apache-2.0
"""How cost grows with the size of the cloud."""

import dataclasses
from typing import Any

from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.collection import Collection
from benchmarks.collection import collect
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale
from benchmarks.site import site

# Seconds, and MiB.
WALL, MEMORY = 600.0, 250.0


def large(scale: Scale) -> Result:
    """A large cloud's first and second hour, and those of one that is a tenth of it."""
    sizes = [
        Size(projects, scale.resources, windows=2, latency=scale.latency)
        for projects in (scale.cloud_projects // 10, scale.cloud_projects)
    ]
    (small, _), (first, second) = measured = [_hours(size) for size in sizes]
    figures = [
        Figure("wall time, first hour", "s", [first.collector.wall], WALL),
        Figure("wall time, second hour", "s", [second.collector.wall], WALL),
        Figure("CPU, second hour", "s", [second.collector.cpu]),
        Figure("CPU a sample, second hour", "µs", [second.cpu_a_sample]),
        Figure("CPU of a run that finds nothing due", "s", [second.nothing.cpu]),
        Figure("requests a project-window, first hour", "", [first.requests_a_window]),
        Figure("requests a project-window, second hour", "", [second.requests_a_window]),
        Figure("peak memory, first hour", "MiB", [first.collector.memory], MEMORY),
        Figure("peak memory, second hour", "MiB", [second.collector.memory], MEMORY),
        Figure("peak memory, of a tenth's", "times", [first.collector.memory / small.collector.memory]),
    ]
    return Result(figures, [_document(*each) for each in zip(sizes, measured, strict=True)])


def growth(scale: Scale) -> Result:
    """The second hour of clouds of several sizes."""
    sizes = [Size(projects, scale.resources, windows=2) for projects in scale.growth_projects]
    sizes += [Size(scale.few_projects, resources, windows=2) for resources in scale.growth_resources]
    # A small cloud's cost is little beside the spread of a start's.
    measured = [[_hours(size) for _ in range(scale.rounds)] for size in sizes]
    pairs = list(zip(sizes, measured, strict=True))
    figures = [figure for size, rounds in pairs for figure in _figures(size, [second for _, second in rounds])]
    return Result(figures, [_document(size, hours) for size, rounds in pairs for hours in rounds])


def _hours(size: Size) -> tuple[Collection, Collection]:
    """The first and the second, with their own starts' costs."""
    with cloud(size) as its_cloud, site(its_cloud) as its:
        return collect(its, 0, 1), collect(its, 1, 1)


def _figures(size: Size, rounds: list[Collection]) -> list[Figure]:
    which = f"{size.projects:,} projects, {size.resources} resources"
    return [
        Figure(f"{which}: CPU a sample", "µs", [each.cpu_a_sample for each in rounds]),
        Figure(f"{which}: CPU a project-window", "ms", [each.a_window(each.cpu) for each in rounds]),
        Figure(f"{which}: CPU of a run that finds nothing due", "s", [each.nothing.cpu for each in rounds]),
        Figure(f"{which}: peak memory", "MiB", [each.collector.memory for each in rounds], MEMORY),
    ]


def _document(size: Size, hours: tuple[Collection, Collection]) -> dict[str, Any]:
    first, second = hours
    return {"size": dataclasses.asdict(size), "first": first.document(), "second": second.document()}
