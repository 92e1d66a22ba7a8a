# SPDX-License-Identifier: Apache-2.0
"""Part ``cores``: the gain from a second process of the same collector."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import targets
from benchmarks.cloud import CloudProcess
from benchmarks.cloud import CloudSize
from benchmarks.cloud import running_cloud
from benchmarks.deployment import deployed
from benchmarks.process import Cost
from benchmarks.quota import limited
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale

# Fraction of a core for each process: so small that two cores suffice for both, the cloud and the database.
_QUOTA = 0.2


class _Collection(NamedTuple):
    cost: Cost
    entries: int


class _Round(NamedTuple):
    one: _Collection
    two: _Collection

    def document(self) -> dict[str, object]:
        return {"one": vars(self.one.cost), "two": vars(self.two.cost), "entries": self.one.entries}


def measure_second_process(scale: Scale) -> BenchmarkResult:
    """Compare one process with two that share the projects by leases, in alternation.

    Cloud and database run on the same machine and compete for its cores. So the comparison is repeated, with a third of
    the windows, for processes that have only a fraction of a core each.
    """
    unlimited = _measure(CloudSize(scale.projects, scale.resources, scale.windows), scale.rounds, [(), ()])
    with limited(2, _QUOTA) as prefixes:
        size = CloudSize(scale.projects, scale.resources, max(1, scale.windows // 3))
        throttled = _measure(size, scale.rounds, prefixes)
    figures = [*_figures(unlimited, ""), *_figures(throttled, f", {_QUOTA:.0%} of a core each")]
    return BenchmarkResult(figures, [collections.document() for collections in (*unlimited, *throttled)])


def _measure(size: CloudSize, rounds: int, prefixes: Sequence[Sequence[str]]) -> list[_Round]:
    """Measure one process and two, in alternation.

    :param prefixes: of the two command lines; without any nothing is measured.
    :raises RuntimeError: the numbers of stored usage entries differ.
    """
    if not prefixes:
        return []
    with running_cloud(size) as cloud:
        measured = [_Round(_collect(cloud, prefixes[:1]), _collect(cloud, prefixes)) for _ in range(rounds)]
    if len({collection.entries for collections in measured for collection in collections}) != 1:
        raise RuntimeError(f"one process and two stored different numbers of usage entries: {measured}")
    return measured


def _figures(rounds: Sequence[_Round], condition: str) -> list[Figure]:
    costs = [(one.cost, two.cost) for one, two in rounds]
    if not costs:
        return []
    return [
        Figure(f"wall time of two processes relative to one{condition}", "times", [b.wall / a.wall for a, b in costs]),
        Figure(f"CPU of two processes relative to one{condition}", "times", [b.cpu / a.cpu for a, b in costs]),
        Figure(f"busy cores of the machine, one process{condition}", "", [a.machine / a.wall for a, _ in costs]),
        Figure(f"busy cores of the machine, two processes{condition}", "", [b.machine / b.wall for _, b in costs]),
        Figure(f"peak memory of either{condition}", "MiB", [b.memory for _, b in costs], targets.PEAK_MEMORY_MIB),
    ]


def _collect(cloud: CloudProcess, prefixes: Sequence[Sequence[str]]) -> _Collection:
    with deployed(cloud) as deployment:
        return _Collection(deployment.run_collectors(cloud.size.windows, prefixes), deployment.count_entries())
