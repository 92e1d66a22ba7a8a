# SPDX-License-Identifier: Apache-2.0
"""The aggregates that Gnocchi keeps of a metric."""

import itertools
import math
import statistics
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from distil.sandbox.data.gnocchi_resources import GnocchiMetric
from distil.sandbox.data.gnocchi_resources import GnocchiResources
from distil.sandbox.data.synthetic_samples import INTERVAL_US
from distil.sandbox.data.synthetic_samples import phase_us

Point = tuple[int, int, float]
"""Start of a bucket in seconds since 1970, its length in seconds, and the value."""

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US

_METHODS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "max": max,
    "last": lambda values: values[-1],
    "sum": math.fsum,
    "count": lambda values: float(len(values)),
}


class GnocchiMeasures:
    """Computes aggregates from the synthetic samples."""

    def __init__(self, resources: GnocchiResources) -> None:
        self._resources = resources

    def aggregate(self, metric: GnocchiMetric, method: str, start_us: int, end_us: int) -> list[Point]:
        """Return the buckets of a metric that begin in [start, end), oldest first; the start is rounded down.

        :param method: one of the archive policy's.
        :param start_us: in microseconds since 1970, as is ``end_us``.
        """
        policy = metric.definition.policy
        bucket_us = policy.granularity * _SECOND_US
        phase = phase_us(metric.resource.location.index)
        ticks = self._resources.ticks(metric.resource)
        newest_us = (ticks.stop - 1) * INTERVAL_US + phase
        first_us = max(start_us, newest_us - policy.days * _DAY_US) // bucket_us * bucket_us
        last_us = -(-end_us // bucket_us) * bucket_us
        selected = _ticks_between(ticks, first_us - phase, last_us - phase)
        measured = self._resources.metered(metric.resource, metric.definition.meter)
        measures = ((tick * INTERVAL_US + phase, metric.definition.value(measured, tick)) for tick in selected)
        return [
            (bucket * policy.granularity, policy.granularity, _METHODS[method]([value for _, value in group]))
            for bucket, group in itertools.groupby(measures, lambda measure: measure[0] // bucket_us)
        ]


def _ticks_between(ticks: range, start_us: int, end_us: int) -> range:
    return range(max(ticks.start, -(-start_us // INTERVAL_US)), min(ticks.stop, -(-end_us // INTERVAL_US)))
