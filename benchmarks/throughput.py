# SPDX-License-Identifier: Apache-2.0
"""The collector and the floor in turns."""

import dataclasses
from typing import Any

from benchmarks.cloud import Cloud
from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.collection import Collection
from benchmarks.collection import collect
from benchmarks.deployment import site
from benchmarks.long_running import resident
from benchmarks.process import Cost
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale

# Projects in a question where each has one window.
TOGETHER = 12

# Of a project-window: milliseconds, milliseconds, requests, times the floor; and MiB.
CPU, WALL, CATCHING_UP_REQUESTS, STEADY_REQUESTS, TIMES_FLOOR, MEMORY = 20.0, 25.0, 1.0, 2.0, 1.5, 250.0


@dataclasses.dataclass(frozen=True)
class Round:
    """:param start: when usage begins, in ISO 8601.
    :param floor_requests: by service.
    """

    start: str
    collection: Collection
    floor: Cost
    floor_requests: dict[str, int]
    floor_counts: dict[str, int]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)


def catching_up(scale: Scale) -> Result:
    """All windows of each project, from a server that answers at once."""
    return _in_turns(scale, Size(scale.projects, scale.resources, scale.windows), {"cpu": CPU, "times": TIMES_FLOOR})


def latency(scale: Scale) -> Result:
    """The same from a server that takes its time."""
    size = Size(scale.projects, scale.resources, scale.windows, scale.latency)
    return _in_turns(scale, size, {"wall": WALL})


def steady(scale: Scale) -> Result:
    """The second window of each project: what machines there are is known from the first, which is not measured."""
    size = Size(scale.projects, scale.resources, 2)
    with cloud(size) as its_cloud:
        both = [(_round(its_cloud, 1, TOGETHER, 1), _stay(its_cloud)) for _ in range(scale.rounds)]
    rounds, stays = [a_round for a_round, _ in both], [stay for _, stay in both]
    windows = size.project_windows
    figures = [
        *_figures(rounds, {"requests": STEADY_REQUESTS}),
        Figure("CPU in a process that goes on", "ms", [each["cpu"] * 1000 / windows for each in stays]),
        Figure("wall time in a process that goes on", "ms", [each["wall"] * 1000 / windows for each in stays]),
        Figure(
            "requests in a process that goes on",
            "",
            [sum(each["requests"].values()) / windows for each in stays],
            STEADY_REQUESTS,
        ),
    ]
    return Result(figures, [a_round.document() | {"stay": stay} for a_round, stay in both])


def _in_turns(scale: Scale, size: Size, targets: dict[str, float]) -> Result:
    with cloud(size) as its_cloud:
        rounds = [_round(its_cloud, 0, 1, size.windows) for _ in range(scale.rounds)]
    targets = {"requests": CATCHING_UP_REQUESTS, **targets}
    return Result(_figures(rounds, targets), [each.document() for each in rounds])


def _round(its_cloud: Cloud, before: int, projects_together: int, windows_together: int) -> Round:
    """:raises RuntimeError: the two did not do the same."""
    windows = its_cloud.size.windows - before
    with site(its_cloud) as its:
        if before:
            its.collect(before)
        collection = collect(its, before, windows)
        floor, counts = its.floor(before, projects_together, windows_together)
    if counts != {"samples": collection.samples, "entries": collection.entries}:
        raise RuntimeError(f"the floor read and stored {counts}, the collector {collection}")
    return Round(its_cloud.start.isoformat(), collection, floor, its_cloud.requests(), counts)


def _stay(its_cloud: Cloud) -> dict[str, Any]:
    """The second run of a process that has made the first: what that one looked up is remembered."""
    with site(its_cloud) as its, resident(its) as collector:
        collector.run(its.end(1))
        its_cloud.requests()
        return collector.run(its.end(2)) | {"requests": its_cloud.requests()}


def _figures(rounds: list[Round], targets: dict[str, float]) -> list[Figure]:
    all_of_it = [each.collection for each in rounds]
    floors = [(each.collection.a_window(each.floor.cpu), each.collection.a_window(each.floor.wall)) for each in rounds]
    whole = [(each.a_window(each.collector.cpu), each.a_window(each.collector.wall)) for each in all_of_it]
    work = [(each.a_window(each.cpu), each.a_window(each.wall)) for each in all_of_it]
    times = targets.get("times")
    return [
        Figure("CPU", "ms", [cpu for cpu, _ in whole], targets.get("cpu")),
        Figure("CPU without the start", "ms", [cpu for cpu, _ in work]),
        Figure("CPU of the floor", "ms", [cpu for cpu, _ in floors]),
        Figure("CPU, of the floor's", "times", [a / b for (a, _), (b, _) in zip(whole, floors, strict=True)], times),
        Figure(
            "CPU without the start, of the floor's",
            "times",
            [a / b for (a, _), (b, _) in zip(work, floors, strict=True)],
            times,
        ),
        Figure("wall time", "ms", [wall for _, wall in whole], targets.get("wall")),
        Figure("wall time without the start", "ms", [wall for _, wall in work]),
        Figure("wall time of the floor", "ms", [wall for _, wall in floors]),
        Figure("requests", "", [each.requests_a_window for each in all_of_it], targets["requests"]),
        Figure("peak memory", "MiB", [each.collector.memory for each in all_of_it], MEMORY),
    ]
