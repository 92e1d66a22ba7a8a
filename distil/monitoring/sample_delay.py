# SPDX-License-Identifier: Apache-2.0
"""How long after their time samples were recorded: a histogram that is filled window by window."""

import bisect
import datetime
import itertools
import threading
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from distil import model
from distil.monitoring.definitions import definition

# Seconds, from a minute to a week.
_BUCKETS = (60, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800, float("inf"))

# Length of a time's text down to tens of seconds: samples that agree in it count as equally late.
_PRECISION = len("2026-01-01T00:00:0")


class SampleDelays(Collector):
    """The histogram. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * len(_BUCKETS)
        self._sum = 0.0

    def observe(self, samples: Iterable[model.Sample | model.RejectedSample]) -> None:
        """Count the samples of a window. Those that do not tell when they were recorded are left out."""
        delays = sample_delays(samples)
        with self._lock:
            for seconds, number in delays.items():
                self._counts[bisect.bisect_left(_BUCKETS, seconds)] += number
                self._sum += seconds * number

    def collect(self) -> Iterator[Metric]:
        metric = definition("sample_delay_seconds")
        with self._lock:
            counts, total = list(itertools.accumulate(self._counts)), self._sum
        buckets = [(_bucket(bound), number) for bound, number in zip(_BUCKETS, counts, strict=True)]
        yield HistogramMetricFamily(metric.full_name, metric.documentation, buckets=buckets, sum_value=total)


def _bucket(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(float(bound))


def sample_delays(samples: Iterable[model.Sample | model.RejectedSample]) -> Mapping[float, int]:
    """Number of samples by the seconds from their time until they were recorded; 0 if they are recorded before it.

    It is exact to ten seconds, so that samples of one polling cycle are parsed once.
    """
    groups: dict[tuple[datetime.datetime, str], list[str]] = {}
    for sample in samples:
        recorded = sample.document.get("recorded_at")
        if type(recorded) is str and isinstance(sample, model.Sample):
            key = sample.timestamp, recorded[:_PRECISION]
            group = groups.get(key)
            if group is None:
                groups[key] = [recorded]
            else:
                group.append(recorded)
    delays = Counter[float]()
    for (timestamp, _), group in groups.items():
        try:
            delay = model.parse_time(group[0]) - timestamp
        except ValueError:
            continue
        delays[max(0.0, delay.total_seconds())] += len(group)
    return delays
