# SPDX-License-Identifier: Apache-2.0
"""What counters have counted, from raw samples: Prometheus's increase() extrapolates, and ends with each label change.

A counter is one resource's, whatever labels its series have had. A difference belongs to the time of its later sample.
So windows that adjoin add up to what all of them have counted, wherever they are cut.
"""

import bisect
import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil.telemetry.prometheus.series import Series

# How much longer than usual samples of one series may be apart and still follow each other.
_USUAL_FACTOR = 1.5


class ConflictingSeries(Exception):
    """Two series of one resource count at the same time.

    :ivar labels: of the two.
    """

    def __init__(self, one: Mapping[str, str], other: Mapping[str, str]) -> None:
        self.labels = (one, other)
        super().__init__()


class Increase(NamedTuple):
    """What a series has added to the counter.

    :ivar time: of the last sample, in milliseconds since the epoch.
    :ivar amount: a value that no counter has (negative, infinite or NaN) if the service returned one.
    """

    labels: Mapping[str, str]
    time: int
    amount: Decimal | float


class _Sample(NamedTuple):
    """A sample of a counter.

    :ivar series: index of the series.
    :ivar predecessor: that the difference is from; None: the sample before it.
    """

    time: int
    series: int
    value: float
    predecessor: "_Sample | None" = None


def increases(
    series: Sequence[Series],
    start: int,
    end: int,
    max_gap: int,
    from_zero: bool = False,
    replica_labels: Sequence[str] = (),
) -> list[Increase]:
    """What one resource's counter has counted in [start, end), for each of its series with a sample in it.

    :param series: with all samples in [start - look_back, end); see :func:`look_back`.
    :param max_gap: in milliseconds, as the times. What was counted between two samples further apart is unknown.
    :param from_zero: whether a counter starts at zero where there is no sample before, instead of at its first sample.
    :param replica_labels: labels in which series may differ that count the same. Where one of them takes over from
        another, what was counted between two samples may be missing, or be there twice.
    :raises ConflictingSeries: series count at the same time.
    """
    samples = _merge(series, max_gap, replica_labels)
    amounts: dict[int, Decimal | int] = defaultdict(int)
    times: dict[int, int] = {}
    invalid: list[Increase] = []
    previous: _Sample | None = None
    for sample in samples:
        if not 0 <= sample.value < math.inf:
            if start <= sample.time < end:
                invalid.append(Increase(series[sample.series].labels, sample.time, sample.value))
            continue
        if start <= sample.time < end:
            times[sample.series] = sample.time
            amounts[sample.series] += _difference(previous, sample, max_gap, from_zero)
        previous = sample
    found = [Increase(series[index].labels, time, amounts[index]) for index, time in times.items()]
    return [*found, *invalid]


def look_back(max_gap: int, replica_labels: Sequence[str]) -> int:
    """How long before a window its counters must be known, in the unit of ``max_gap``."""
    return 2 * max_gap if replica_labels else max_gap


def _difference(previous: _Sample | None, sample: _Sample, max_gap: int, from_zero: bool) -> Decimal | int:
    before = sample.predecessor or previous
    if before is None or sample.time - before.time > max_gap:
        return _exact(sample.value) if from_zero else 0
    # A counter falls only if it has started again at zero.
    return _exact(sample.value) - (_exact(before.value) if sample.value >= before.value else 0)


def _exact(value: float) -> Decimal | int:
    """The number as Prometheus wrote it, for exact sums. An int, which most are, takes a tenth of a Decimal's time."""
    return int(value) if value.is_integer() else Decimal(repr(value))


def _merge(series: Sequence[Series], max_gap: int, replica_labels: Sequence[str]) -> list[_Sample]:
    """The samples of all series in the order of time, each time once.

    :raises ConflictingSeries: see :func:`increases`.
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


def _follow(series: Sequence[Series], replicas: Sequence[int], max_gap: int) -> list[_Sample]:
    """The samples of one replica after the other, each as long as its own follow each other.

    Another takes over where one has been absent for ``max_gap``, not earlier: a window's end looks like an absence.
    Replicas read a counter at slightly different times. So at a takeover it has started again only if it is lower than
    the replica's own value before.

    :param replicas: indexes of series, those that are preferred first.
    """
    stream: list[_Sample] = []
    while (found := _leader(series, replicas, stream[-1].time + max_gap if stream else None, max_gap)) is not None:
        index, position = found
        times, values = series[index].times, series[index].values
        predecessor = None
        if stream and position and times[position] - times[position - 1] <= max_gap:
            is_late = values[position - 1] <= values[position] < stream[-1].value
            value = values[position] if is_late else stream[-1].value
            predecessor = _Sample(times[position - 1], index, value)
        stream.append(_Sample(times[position], index, values[position], predecessor))
        for time, value in zip(times[position + 1 :], values[position + 1 :], strict=True):
            if time - stream[-1].time > max_gap:
                break
            stream.append(_Sample(time, index, value))
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


def _count_together(one: Sequence[_Sample], other: Sequence[_Sample]) -> bool:
    """Whether two series differ at one time, or each has samples between those of the other that follow each other.

    Where only the labels have changed, if only for a while, neither is so: each is absent while the other is present.
    """
    if one[-1].time < other[0].time or other[-1].time < one[0].time:
        return False
    values = {sample.time: sample.value for sample in one}
    common = [sample for sample in other if sample.time in values]
    if common:
        return any(values[sample.time] != sample.value for sample in common)
    return _is_interspersed(one, other) and _is_interspersed(other, one)


def _is_interspersed(one: Sequence[_Sample], other: Sequence[_Sample]) -> bool:
    """Whether samples of another series lie between samples of one that are not further apart than usual."""
    gaps = [later.time - earlier.time for earlier, later in itertools.pairwise(one)]
    if not gaps:
        return False
    usual = statistics.median(gaps) * _USUAL_FACTOR
    times = [sample.time for sample in other]
    return any(
        later.time - earlier.time <= usual and bisect.bisect(times, earlier.time) < bisect.bisect(times, later.time)
        for earlier, later in itertools.pairwise(one)
    )
