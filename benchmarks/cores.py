# SPDX-License-Identifier: Apache-2.0
"""What a second process of the same collector brings."""

from benchmarks.cloud import Cloud
from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.process import Cost
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale
from benchmarks.site import site
from benchmarks.turns import MEMORY


def cores(scale: Scale) -> Result:
    """One process, and two at once that share the projects by leases, in turns."""
    size = Size(scale.projects, scale.resources, scale.windows)
    with cloud(size) as its_cloud:
        rounds = [[_collect(its_cloud, processes) for processes in (1, 2)] for _ in range(scale.rounds)]
    if len({entries for each in rounds for _, entries in each}) != 1:
        raise RuntimeError(f"one process and two did not store the same number of entries: {rounds}")
    costs = [(one, two) for (one, _), (two, _) in rounds]
    figures = [
        Figure("wall time of two processes, of one's", "times", [two.wall / one.wall for one, two in costs]),
        Figure("CPU of two processes, of one's", "times", [two.cpu / one.cpu for one, two in costs]),
        Figure("cores that the whole machine had busy, one process", "", [one.machine / one.wall for one, _ in costs]),
        Figure("cores that the whole machine had busy, two", "", [two.machine / two.wall for _, two in costs]),
        Figure("peak memory of either", "MiB", [two.memory for _, two in costs], MEMORY),
    ]
    return Result(figures, [_document(*each) for each in rounds])


def _collect(its_cloud: Cloud, processes: int) -> tuple[Cost, int]:
    """The cost, and the number of usage entries."""
    with site(its_cloud) as its:
        return its.collect(its_cloud.size.windows, processes), its.entries()


def _document(one: tuple[Cost, int], two: tuple[Cost, int]) -> dict[str, object]:
    return {"one": vars(one[0]), "two": vars(two[0]), "entries": one[1]}
