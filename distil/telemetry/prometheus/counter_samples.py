# SPDX-License-Identifier: Apache-2.0
"""The samples of a counter, of all the series that it has had."""

import bisect
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.series import is_same

# How much longer than usual samples of one series may be apart and still follow each other.
_USUAL_FACTOR = 1.5


class ConflictingSeries(Exception):
    """Two series of one resource count at the same time.

    :ivar labels: of the two.
    """

    def __init__(self, one: Mapping[str, str], other: Mapping[str, str]) -> None:
        self.labels = (one, other)
        super().__init__()


class CounterSample(NamedTuple):
    """A sample of a counter.

    :ivar series: index of the series.
    :ivar predecessor: that the difference is from; None: the sample before it.
    """

    time: int
    series: int
    value: float
    predecessor: "CounterSample | None" = None


def merge(series: Sequence[Series], max_gap: int, replica_labels: Sequence[str]) -> list[CounterSample]:
    """The samples of all series in the order of time, each time once.

    :param max_gap: how long a replica must be absent until another takes over, in the unit of the times.
    :param replica_labels: labels in which series may differ that count the same.
    :raises ConflictingSeries: others count at the same time.
    """
    groups: dict[object, list[int]] = defaultdict(list)
    for index in sorted(range(len(series)), key=lambda index: series[index].key):
        groups[tuple(pair for pair in series[index].key if pair[0] not in replica_labels)].append(index)
    streams = [stream for group in groups.values() if (stream := _follow(series, group, max_gap))]
    for one, other in itertools.combinations(streams, 2):
        if _count_together(one, other):
            raise ConflictingSeries(series[one[0].series].labels, series[other[0].series].labels)
    samples = sorted(itertools.chain.from_iterable(streams))
    return [*(each for each, later in itertools.pairwise(samples) if each.time < later.time), *samples[-1:]]


def _follow(series: Sequence[Series], replicas: Sequence[int], max_gap: int) -> list[CounterSample]:
    """The samples of one replica after the other, each as long as its own follow each other.

    Another takes over where one has been absent for ``max_gap``, not earlier: a window's end looks like an absence.
    Replicas read a counter at slightly different times. So at a takeover it has started again only if it is lower than
    the replica's own value before.

    :param replicas: indexes of series, those that are preferred first.
    """
    stream: list[CounterSample] = []
    while (found := _leader(series, replicas, stream[-1].time + max_gap if stream else None, max_gap)) is not None:
        index, position = found
        times, values = series[index].times, series[index].values
        predecessor = None
        if stream and position and times[position] - times[position - 1] <= max_gap:
            is_late = values[position - 1] <= values[position] < stream[-1].value
            value = values[position] if is_late else stream[-1].value
            predecessor = CounterSample(times[position - 1], index, value)
        stream.append(CounterSample(times[position], index, values[position], predecessor))
        for time, value in zip(times[position + 1 :], values[position + 1 :], strict=True):
            if time - stream[-1].time > max_gap:
                break
            stream.append(CounterSample(time, index, value))
    return stream


def _leader(
    series: Sequence[Series], replicas: Sequence[int], after: int | None, max_gap: int
) -> tuple[int, int] | None:
    """The first of the replicas that are there soon after a time, and the position of its first sample after it."""
    found = []
    for index in replicas:
        position = 0 if after is None else bisect.bisect_right(series[index].times, after)
        if position < len(series[index].times):
            found.append((series[index].times[position], index, position))
    if not found:
        return None
    earliest = min(time for time, _, _ in found)
    return next((index, position) for time, index, position in found if time <= earliest + max_gap)


def _count_together(one: Sequence[CounterSample], other: Sequence[CounterSample]) -> bool:
    """Whether two series differ at one time, or each has samples between those of the other that follow each other.

    Where only the labels have changed, if only for a while, neither is so: each is absent while the other is present.
    """
    if one[-1].time < other[0].time or other[-1].time < one[0].time:
        return False
    values = {sample.time: sample.value for sample in one}
    common = [sample for sample in other if sample.time in values]
    if common:
        return not all(is_same(values[sample.time], sample.value) for sample in common)
    one_times, other_times = ([sample.time for sample in samples] for samples in (one, other))
    return _is_interspersed(one_times, other_times) and _is_interspersed(other_times, one_times)


def are_simultaneous(one: Iterable[Series], other: Iterable[Series]) -> bool:
    """Whether some series have samples while others do, whatever their values: none of them continues another."""
    one_times, other_times = (sorted({time for item in series for time in item.times}) for series in (one, other))
    return (
        not set(one_times).isdisjoint(other_times)
        or _is_interspersed(one_times, other_times)
        or _is_interspersed(other_times, one_times)
    )


def _is_interspersed(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether samples of another series lie between samples of one that are not further apart than usual.

    :param one: times, ascending, like ``other``.
    """
    gaps = [later - earlier for earlier, later in itertools.pairwise(one)]
    if not gaps:
        return False
    usual = statistics.median(gaps) * _USUAL_FACTOR
    return any(
        later - earlier <= usual and bisect.bisect(other, earlier) < bisect.bisect(other, later)
        for earlier, later in itertools.pairwise(one)
    )
