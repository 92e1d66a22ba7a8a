# SPDX-License-Identifier: Apache-2.0
"""The aggregates that Gnocchi keeps of a metric."""

import dataclasses
import itertools
import math
import statistics
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from distil.sandbox.data.gnocchi_store import GnocchiMetric
from distil.sandbox.data.gnocchi_store import GnocchiResource
from distil.sandbox.query import intervals

Point = tuple[int, int, float]
"""Start of a bucket in seconds since 1970, its length in seconds, and the value."""

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US

_METHODS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "max": max,
    "min": min,
    "last": lambda values: values[-1],
    "first": lambda values: values[0],
    "sum": math.fsum,
    "count": lambda values: float(len(values)),
}


@dataclasses.dataclass(frozen=True)
class Unprocessed:
    """Measures that Gnocchi has received, but not processed.

    :param newest_us: how long before the newest measure of a metric they begin, in microseconds; None for all.
    :param project_id: None for those of all projects.
    """

    newest_us: int | None
    project_id: str | None

    def of_resource(self, resource: GnocchiResource) -> bool:
        return self.project_id in (None, resource.revisions()[-1]["project_id"])

    def since_us(self, metric: GnocchiMetric) -> int:
        """Return from when on the measures of a metric are not processed."""
        return intervals.MIN_US if self.newest_us is None else metric.newest_us() - self.newest_us + 1


def aggregate(
    metric: GnocchiMetric, method: str, start_us: int, end_us: int, unprocessed: Unprocessed | None = None
) -> list[Point]:
    """Return the buckets of a metric that begin in [start, end), oldest first; the start is rounded down.

    :param method: one of the archive policy's.
    :param start_us: in microseconds since 1970, as is ``end_us``.
    :param unprocessed: measures that are missing.
    """
    policy = metric.policy
    bucket_us = policy.granularity * _SECOND_US
    first_us = max(start_us, metric.newest_us() - policy.days * _DAY_US) // bucket_us * bucket_us
    last_us = -(-end_us // bucket_us) * bucket_us
    if unprocessed is not None and unprocessed.of_resource(metric.resource):
        last_us = min(last_us, unprocessed.since_us(metric))
    measures = metric.measures(first_us, last_us)
    return [
        (bucket * policy.granularity, policy.granularity, _METHODS[method]([value for _, value in group]))
        for bucket, group in itertools.groupby(measures, lambda measure: measure[0] // bucket_us)
    ]
