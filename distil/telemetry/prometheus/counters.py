# SPDX-License-Identifier: Apache-2.0
"""What counters have counted, from raw samples: Prometheus's increase() extrapolates, and ends with each label change.

A counter is one resource's, whatever labels its series have had. A difference belongs to the time of its later sample.
So windows that adjoin add up to what all of them have counted, wherever they are cut.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil.telemetry.prometheus.counter_samples import CounterSample
from distil.telemetry.prometheus.counter_samples import merge
from distil.telemetry.prometheus.series import Series


class Increase(NamedTuple):
    """What a series has added to the counter.

    :ivar time: of the last sample, in milliseconds since the epoch.
    :ivar amount: a value that no counter has (negative, infinite or NaN) if the service returned one.
    """

    labels: Mapping[str, str]
    time: int
    amount: Decimal | float


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
    samples = merge(series, max_gap, replica_labels)
    amounts: dict[int, Decimal | int] = defaultdict(int)
    times: dict[int, int] = {}
    invalid: list[Increase] = []
    previous: CounterSample | None = None
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


def is_too_sparse(series: Sequence[Series], max_gap: int) -> bool:
    """Whether a counter has samples, all of them further apart than ``max_gap``: then nothing is ever counted."""
    times = sorted({time for item in series for time in item.times})
    return len(times) > 1 and all(later - earlier > max_gap for earlier, later in itertools.pairwise(times))


def look_back(max_gap: int, replica_labels: Sequence[str]) -> int:
    """How long before a window its counters must be known, in the unit of ``max_gap``."""
    return 2 * max_gap if replica_labels else max_gap


def _difference(previous: CounterSample | None, sample: CounterSample, max_gap: int, from_zero: bool) -> Decimal | int:
    before = sample.predecessor or previous
    if before is None or sample.time - before.time > max_gap:
        return _exact(sample.value) if from_zero else 0
    # A counter falls only if it has started again at zero.
    return _exact(sample.value) - (_exact(before.value) if sample.value >= before.value else 0)


def _exact(value: float) -> Decimal | int:
    """The number as Prometheus wrote it, for exact sums. An int, which most are, takes a tenth of a Decimal's time."""
    return int(value) if value.is_integer() else Decimal(repr(value))
