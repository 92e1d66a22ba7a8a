# SPDX-License-Identifier: Apache-2.0
"""The resources that have the metrics of meters."""

import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil import model
from distil.telemetry.gnocchi.aggregates import Series
from distil.telemetry.gnocchi.aggregates import WantedSeries
from distil.telemetry.gnocchi.client import GnocchiClient
from distil.telemetry.gnocchi.documents import OwnedSeries
from distil.telemetry.gnocchi.documents import ResourceSeries
from distil.telemetry.gnocchi.meters import GAUGE_PREFERENCE
from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.gnocchi.revisions import MalformedResource
from distil.telemetry.gnocchi.revisions import Resource
from distil.telemetry.gnocchi.revisions import find_resources


class NumberedMeter(NamedTuple):
    """:param number: of its entry in the meters file, from 0."""

    number: int
    meter: GnocchiMeter


class MeasuredResource(NamedTuple):
    """A resource that has the metric of a meter.

    :param series: of the volumes.
    :param others: the series that other values come from, by the metric's name.
    """

    numbered: NumberedMeter
    resource: Resource
    series: WantedSeries
    others: Mapping[str, WantedSeries]

    @property
    def wanted(self) -> Sequence[WantedSeries]:
        return (self.series, *self.others.values())

    def problem(self, found: Mapping[WantedSeries, Series]) -> str | None:
        """Why a series cannot be had; None: all can.

        :param found: all that is wanted.
        """
        problems = (found[series].problem for series in self.wanted)
        problem = next((problem for problem in problems if problem is not None), None)
        return problem and f"resource {self.resource.id} ({self.numbered.meter.meter}): {problem}"

    def owned(self, found: Mapping[WantedSeries, Series], granularity: int) -> Iterator[tuple[str, OwnedSeries]]:
        """What each project owns of it. Only without a :meth:`problem`.

        :param found: all that is wanted.
        :param granularity: of the aggregates, in seconds.
        """
        volumes = found[self.series]
        others = {name: found[series].points for name, series in self.others.items()}
        unit = volumes.metric.unit if volumes.metric else None
        return ResourceSeries(*self.numbered, self.resource, unit, volumes.points, others, granularity).owned()


class Batch(NamedTuple):
    """Resources whose series fit into a request."""

    measured: Sequence[MeasuredResource]
    malformed: Sequence[MalformedResource]

    @property
    def wanted(self) -> Sequence[WantedSeries]:
        return [series for measured in self.measured for series in measured.wanted]


def batches(resources: Iterable[MeasuredResource | MalformedResource], size: int) -> Iterator[Batch]:
    """Parts that want as many series as ``size``, unless one resource wants more."""
    measured: list[MeasuredResource] = []
    malformed: list[MalformedResource] = []
    series = 0
    for resource in resources:
        if isinstance(resource, MalformedResource):
            malformed.append(resource)
            continue
        wanted = len(resource.wanted)
        if measured and series + wanted > size:
            yield Batch(measured, malformed)
            measured, malformed, series = [], [], 0
        measured.append(resource)
        series += wanted
    yield Batch(measured, malformed)


def find_measured(
    gnocchi: GnocchiClient, meters: Iterable[NumberedMeter], period: model.Window
) -> Iterator[MeasuredResource | MalformedResource]:
    """The resources that may have measures of meters in a period, of all projects; one for each meter.

    :raises TelemetryError: there is no usable answer.
    """
    ordered = sorted(meters, key=_resource_type)
    for resource_type, group in itertools.groupby(ordered, key=_resource_type):
        of_type = list(group)
        attributes = {name for _, meter in of_type for name in meter.fields}
        for resource in find_resources(gnocchi, resource_type, attributes, period):
            if isinstance(resource, MalformedResource):
                yield resource
            else:
                yield from (
                    _measured(numbered, resource) for numbered in of_type if numbered.meter.metric in resource.metrics
                )


def _resource_type(numbered: NumberedMeter) -> str:
    return numbered.meter.resource_type


def _measured(numbered: NumberedMeter, resource: Resource) -> MeasuredResource:
    meter = numbered.meter
    return MeasuredResource(
        numbered,
        resource,
        _series(resource, meter.metric, meter.aggregations),
        {name: _series(resource, name, GAUGE_PREFERENCE) for name in meter.metrics if name in resource.metrics},
    )


def _series(resource: Resource, metric: str, aggregations: Sequence[str]) -> WantedSeries:
    return WantedSeries(resource.metrics[metric], metric, tuple(aggregations), resource.ended)
