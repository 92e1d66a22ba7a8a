# SPDX-License-Identifier: Apache-2.0
"""What a second process of the same collector brings."""

from collections.abc import Sequence

from benchmarks.cloud import Cloud
from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.deployment import site
from benchmarks.process import Cost
from benchmarks.quota import limited
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale
from benchmarks.throughput import MEMORY

# Of a core: so little that cloud, database and both processes together have more than enough on two.
_SHARE = 0.2

_Collected = tuple[Cost, int]


def cores(scale: Scale) -> Result:
    """One process, and two at once that share the projects by leases, in turns.

    Cloud and database are on the same machine and take what it has. So the same is measured once more with processes
    that have only a part of a core each, of a third of the windows.
    """
    free = _rounds(Size(scale.projects, scale.resources, scale.windows), scale.rounds, [(), ()])
    with limited(2, _SHARE) as beginnings:
        held = _rounds(Size(scale.projects, scale.resources, max(1, scale.windows // 3)), scale.rounds, beginnings)
    figures = [*_figures(free, ""), *_figures(held, f", each with {_SHARE:.0%} of a core")]
    return Result(figures, [_document(*each) for each in (*free, *held)])


def _rounds(size: Size, rounds: int, beginnings: Sequence[Sequence[str]]) -> list[tuple[_Collected, _Collected]]:
    """What one process took, and what two did; nothing without beginnings of their command lines."""
    if not beginnings:
        return []
    with cloud(size) as its_cloud:
        done = [(_collect(its_cloud, beginnings[:1]), _collect(its_cloud, beginnings)) for _ in range(rounds)]
    if len({entries for each in done for _, entries in each}) != 1:
        raise RuntimeError(f"one process and two did not store the same number of entries: {done}")
    return done


def _figures(rounds: Sequence[tuple[_Collected, _Collected]], how: str) -> list[Figure]:
    costs = [(one, two) for (one, _), (two, _) in rounds]
    if not costs:
        return []
    return [
        Figure(f"wall time of two processes, of one's{how}", "times", [two.wall / one.wall for one, two in costs]),
        Figure(f"CPU of two processes, of one's{how}", "times", [two.cpu / one.cpu for one, two in costs]),
        Figure(f"cores that the machine had busy, one process{how}", "", [one.machine / one.wall for one, _ in costs]),
        Figure(f"cores that the machine had busy, two{how}", "", [two.machine / two.wall for _, two in costs]),
        Figure(f"peak memory of either{how}", "MiB", [two.memory for _, two in costs], MEMORY),
    ]


def _collect(its_cloud: Cloud, beginnings: Sequence[Sequence[str]]) -> _Collected:
    """The cost, and the number of usage entries."""
    with site(its_cloud) as its:
        return its.collect(its_cloud.size.windows, beginnings), its.entries()


def _document(one: _Collected, two: _Collected) -> dict[str, object]:
    return {"one": vars(one[0]), "two": vars(two[0]), "entries": one[1]}
