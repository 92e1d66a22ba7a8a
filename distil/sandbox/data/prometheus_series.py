# SPDX-License-Identifier: Apache-2.0
"""The series in Prometheus: those that it scrapes of the synthetic cloud, and those that a test adds."""

import bisect
import dataclasses
import itertools
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil.sandbox.data import ceilometer_exporter
from distil.sandbox.data import ids
from distil.sandbox.data import meters
from distil.sandbox.data import openstack_exporter
from distil.sandbox.data import traffic_exporters
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.scraped_metric import ScrapedMetric
from distil.sandbox.data.synthetic_samples import INTERVAL_US
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.data.synthetic_samples import phase_us
from distil.sandbox.query.selectors import NAME_LABEL
from distil.sandbox.query.selectors import Selector

TARGETS: Mapping[str, str] = {
    "openstack-exporter": "exporter.example.com:9180",
    "ceilometer": "compute-0.example.com:9101",
    "router": "network-0.example.com:9250",
    "swift": "proxy-0.example.com:9250",
}
"""Address of the one target of each job."""

METRICS: Sequence[ScrapedMetric] = (
    *openstack_exporter.METRICS,
    *ceilometer_exporter.METRICS,
    *traffic_exporters.METRICS,
)

# Series that say whether a target, or a service that an exporter asks, has answered.
_UP: Sequence[Mapping[str, str]] = tuple(
    {NAME_LABEL: name, "job": job, "instance": TARGETS[job]}
    for job in TARGETS
    for name in ("up", *(openstack_exporter.UP if job == openstack_exporter.JOB else ()))
)

SCRAPED_NAMES = frozenset((*(metric.name for metric in METRICS), *(labels[NAME_LABEL] for labels in _UP)))
"""All metrics that are scraped."""

# Of each scrape within the interval. All samples of a tick are older, so that they are exposed in the hour they are of.
_OFFSET_MS = 8_137

# Counters start again at zero where their exporter does: at midnight.
_TICKS_PER_DAY = 24 * meters.TICKS_PER_HOUR

Sample = tuple[int, float]
"""Time in milliseconds since 1970, and value."""


class Series(NamedTuple):
    """Samples with the same labels, oldest first.

    :ivar labels: with the metric's name.
    """

    labels: Mapping[str, str]
    samples: Sequence[Sample]


@dataclasses.dataclass(frozen=True)
class ScrapeOutage:
    """A part of each hour in which nothing is scraped.

    :param seconds: its length, from the beginning of the hour.
    :param is_recorded: whether ``up`` tells of it, as if targets and not Prometheus were down.
    :param project_id: if the samples of one project are missing only, of which ``up`` does not tell.
    """

    seconds: float
    is_recorded: bool
    project_id: str | None

    def apply(self, series: Series) -> Series:
        """Return a series as it is after such outages."""
        if self.project_id is not None and self.project_id not in series.labels.values():
            return series
        if self.is_recorded and _is_up(series.labels[NAME_LABEL]):
            samples = [(time, 0.0 if self._covers(time) else value) for time, value in series.samples]
            return series._replace(samples=samples)
        return series._replace(samples=[sample for sample in series.samples if not self._covers(sample[0])])

    def _covers(self, time_ms: int) -> bool:
        return time_ms % 3_600_000 < self.seconds * 1000


def _is_up(name: str) -> bool:
    return name == "up" or name.endswith("_up")


class ScrapedSeries:
    """Series of the synthetic cloud.

    :param interval: between two scrapes of a target, in seconds.
    """

    def __init__(self, synthetic_samples: SyntheticSamples, interval: int) -> None:
        self._synthetic_samples = synthetic_samples
        self.interval_ms = interval * 1000

    def end_ms(self) -> int:
        """Return the end of the samples, which is now unless it is fixed, in milliseconds since 1970."""
        return self._synthetic_samples.period().intervals[0][1] // 1000

    def select(self, selector: Selector, start_ms: int, end_ms: int) -> Iterator[Series]:
        """Return matching series with samples in [start, end)."""
        names = selector.possible_values(NAME_LABEL)
        scrapes = self._scrapes(start_ms, end_ms)
        if scrapes:
            up = (Series(labels, [(time, 1.0) for time in scrapes]) for labels in _UP if selector.matches(labels))
            yield from up
        for metric in METRICS:
            if names is not None and metric.name not in names:
                continue
            for resource in self._resources(metric, selector.possible_values(metric.project_label)):
                series = self._series(metric, resource, scrapes)
                yield from (each for each in series if selector.matches(each.labels))

    def _scrapes(self, start_ms: int, end_ms: int) -> range:
        """Return the times of the scrapes in [start, end), in milliseconds."""
        ((first_us, last_us),) = self._synthetic_samples.period().intervals
        step = self.interval_ms
        start, end = max(start_ms, first_us // 1000), min(end_ms, last_us // 1000)
        return range(start + (_OFFSET_MS - start) % step, end, step)

    def _resources(self, metric: ScrapedMetric, project_ids: Iterable[str] | None) -> Iterator[MeteredResource]:
        seed, known = self._synthetic_samples.seed, self._synthetic_samples.project_numbers
        if project_ids is None:
            numbers: Iterable[int] = known
        else:
            found = (ids.project_number(seed, project_id) for project_id in project_ids)
            numbers = sorted(number for number in found if number is not None and number in known)
        for number in numbers:
            for index in range(self._synthetic_samples.resources_per_project):
                yield meters.metered_resource(seed, number, metric.meter, index)

    def _series(self, metric: ScrapedMetric, resource: MeteredResource, scrapes: range) -> list[Series]:
        """Return the series of a resource: one for each set of labels that it had."""
        labels: dict[object, Mapping[str, str]] = {}
        samples: dict[object, list[Sample]] = {}
        first_tick = -((phase_us(resource.index) - self._start_us()) // INTERVAL_US)
        for tick, value, times in self._exposed(metric, resource, scrapes, first_tick):
            state = _label_state(metric, resource, tick)
            if state not in labels:
                labels[state] = _labels(metric, resource, tick)
            samples.setdefault(state, []).extend((time, value) for time in times)
        return [Series(labels[state], samples[state]) for state in samples]

    def _exposed(
        self, metric: ScrapedMetric, resource: MeteredResource, scrapes: range, first_tick: int
    ) -> Iterator[tuple[int, float, list[int]]]:
        """Return the ticks whose sample is exposed at scrapes, with value and times in milliseconds.

        An exporter exposes the newest sample until the next one.
        """
        phase = phase_us(resource.index)
        groups = itertools.groupby(scrapes, lambda time: (time * 1000 - phase) // INTERVAL_US)
        ticks = [(tick, list(times)) for tick, times in groups if tick >= first_tick]
        if not ticks:
            return
        between = range(ticks[0][0], ticks[-1][0] + 1)
        values = _totals(metric, resource, between, first_tick) if metric.is_counter else None
        for tick, times in ticks:
            yield tick, values[tick - between.start] if values else metric.value(resource, tick), times

    def _start_us(self) -> int:
        return self._synthetic_samples.period().intervals[0][0]


def _label_state(metric: ScrapedMetric, resource: MeteredResource, tick: int) -> tuple[int, float]:
    """Return what the labels of a resource depend on."""
    status = meters.METERS[metric.meter].volume(resource, tick) if metric.has_status_label else 0.0
    return meters.version_at(resource.index, tick), status


def _labels(metric: ScrapedMetric, resource: MeteredResource, tick: int) -> Mapping[str, str]:
    labels = {
        NAME_LABEL: metric.name,
        "job": metric.job,
        "instance": TARGETS[metric.job],
        metric.project_label: resource.project_id,
        **metric.labels(resource, tick),
    }
    # A label that is empty is none.
    return {label: value for label, value in labels.items() if value}


def _totals(metric: ScrapedMetric, resource: MeteredResource, ticks: range, first_tick: int) -> list[float]:
    """Return the values of a counter at ticks; it starts again at zero at midnight."""
    total, totals = 0.0, []
    for tick in range(max(first_tick, ticks.start // _TICKS_PER_DAY * _TICKS_PER_DAY), ticks.stop):
        total = metric.value(resource, tick) + (total if tick % _TICKS_PER_DAY else 0)
        if tick >= ticks.start:
            totals.append(total)
    return totals


class AddedSeries:
    """Holds the series that a test adds."""

    def __init__(self) -> None:
        self._series: list[Series] = []
        self._lock = threading.Lock()

    def add(self, labels: Mapping[str, str], samples: Iterable[Sample]) -> None:
        """Add a series, or samples to a series.

        :param labels: with the metric's name as ``__name__``.
        :raises ValueError: the metric has no name.
        """
        if not labels.get(NAME_LABEL):
            raise ValueError(f"{dict(labels)!r} has no {NAME_LABEL}")
        with self._lock:
            before = next((series for series in self._series if series.labels == labels), Series(dict(labels), ()))
            kept = [series for series in self._series if series is not before]
            self._series = [*kept, Series(before.labels, sorted({**dict(before.samples), **dict(samples)}.items()))]

    def names(self) -> frozenset[str]:
        """Return the names of all metrics."""
        with self._lock:
            return frozenset(series.labels[NAME_LABEL] for series in self._series)

    def clear(self) -> None:
        """Remove all series."""
        with self._lock:
            self._series = []

    def select(self, selector: Selector, start_ms: int, end_ms: int) -> Iterator[Series]:
        """Return matching series with samples in [start, end)."""
        with self._lock:
            found = [series for series in self._series if selector.matches(series.labels)]
        for labels, samples in found:
            first, last = (bisect.bisect_left(samples, (time,)) for time in (start_ms, end_ms))
            if first < last:
                yield Series(labels, samples[first:last])
