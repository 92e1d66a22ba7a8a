# SPDX-License-Identifier: Apache-2.0
"""From the aggregates of a resource and the revisions of its attributes to samples as Ceilometer's API shows them."""

import bisect
import datetime
import functools
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import Self

from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.gnocchi.meters import Kind
from distil.telemetry.gnocchi.points import Point
from distil.telemetry.gnocchi.revisions import Resource
from distil.telemetry.gnocchi.revisions import in_force

_TYPES = {Kind.GAUGE: "gauge", Kind.DELTA: "delta"}


class OwnedAggregate(NamedTuple):
    """An aggregate of which a project has a sample for each of some revisions.

    :param start: seconds since 1970.
    :param revisions: numbers of the revisions.
    :param metrics: the values of the other metrics of the resource, by name.
    """

    start: int
    value: Any
    revisions: Sequence[int]
    metrics: Mapping[str, Any]


class OwnedRevision(NamedTuple):
    """:param start: as Gnocchi writes it.
    :param attributes: those that the meter needs, by name.
    """

    start: str
    attributes: Mapping[str, Any]


class OwnedSeries(NamedTuple):
    """What the samples of one project are made of, for one meter and resource.

    :param meter: number of the meter's entry.
    :param resource_id: Gnocchi's own id.
    :param unit: of the metric; None: it has none.
    """

    meter: int
    resource_id: str
    original_id: str
    unit: str | None
    revisions: Sequence[OwnedRevision]
    aggregates: Sequence[OwnedAggregate]

    @classmethod
    def from_row(cls, row: Any) -> Self:
        """:param row: of a snapshot, which is what was added, in plain tuples."""
        meter, resource_id, original_id, unit, revisions, aggregates = row
        return cls(
            meter,
            resource_id,
            original_id,
            unit,
            [OwnedRevision(*revision) for revision in revisions],
            [OwnedAggregate(*aggregate) for aggregate in aggregates],
        )


class ResourceSeries:
    """The aggregates of one meter and resource, and to whom they belong.

    :param number: of the meter's entry.
    :param points: of the meter's metric, by time.
    :param others: those of other metrics of the resource, by name and time.
    :param granularity: seconds.
    """

    def __init__(
        self,
        number: int,
        meter: GnocchiMeter,
        resource: Resource,
        unit: str | None,
        points: Sequence[Point],
        others: Mapping[str, Sequence[Point]],
        granularity: int,
    ) -> None:
        self._number = number
        self._meter = meter
        self._resource = resource
        self._unit = unit
        self._points = points
        self._others = others
        self._granularity = granularity

    def owned(self) -> Iterator[tuple[str, OwnedSeries]]:
        """The series of each project to which the resource belonged."""
        revisions = [
            OwnedRevision(revision.start_text, {name: revision.attributes[name] for name in self._meter.fields})
            for revision in self._resource.revisions
        ]
        # To compare each of thousands with all others would take minutes.
        states = [repr(revision.attributes) for revision in revisions]
        starts = [revision.start for revision in self._resource.revisions]
        owners: dict[range, Mapping[str, list[int]]] = {}
        aggregates: dict[str, list[OwnedAggregate]] = {}
        for point in self._points:
            values = {name: value_at(others, point.start) for name, others in self._others.items()}
            numbers = in_force(starts, point.start, point.start + self._granularity)
            if numbers not in owners:  # few points lie where revisions change
                owners[numbers] = self._owners(numbers, states)
            for project_id, of_project in owners[numbers].items():
                aggregates.setdefault(project_id, []).append(OwnedAggregate(*point, of_project, values))
        for project_id, owned in aggregates.items():
            resource = self._resource
            yield (
                project_id,
                OwnedSeries(self._number, resource.id, resource.original_id, self._unit, revisions, owned),
            )

    def _owners(self, numbers: range, states: Sequence[str]) -> Mapping[str, list[int]]:
        """The revisions that have a sample of an aggregate, by project.

        A state has one for each revision that was in force, unless a later one repeats its attributes: max and other
        transformers use all of them, and some the last. An amount has one, for it may be added.

        :param numbers: of the revisions in force.
        :param states: of each revision, what is equal if the attributes are.
        """
        if self._meter.kind is Kind.DELTA:
            numbers = numbers[-1:]
        owners: dict[str, dict[str, int]] = {}
        for number in reversed(numbers):
            project_id = self._resource.revisions[number].project_id
            if project_id is None:
                continue
            owners.setdefault(project_id, {}).setdefault(states[number], number)
        return {project_id: [*later.values()][::-1] for project_id, later in owners.items()}


def value_at(points: Sequence[Point], start: int) -> Any:
    """The value of another metric at a time, else the nearest before, else the nearest after; None without any."""
    if not points:
        return None
    return points[max(0, bisect.bisect_right(points, start, key=lambda point: point.start) - 1)].value


def documents(series: OwnedSeries, meter: GnocchiMeter, project_id: str, source: str) -> Iterator[dict[str, Any]]:
    """The samples of a series, as documents with the keys of Ceilometer's v2 API.

    :param source: the value of that key.
    """
    resource_id = meter.resource_id.of(series.original_id, project_id)
    constant = {
        "resource_id": resource_id,
        "project_id": project_id,
        "meter": meter.meter,
        "type": _TYPES[meter.kind],
        "unit": meter.unit or series.unit,
        "source": source,
    }
    lasting = [meter.lasting_metadata(revision.attributes) for revision in series.revisions]
    for aggregate in series.aggregates:
        timestamp = _format(aggregate.start)
        measured = meter.measured_metadata(aggregate.value, aggregate.metrics)
        for number in aggregate.revisions:
            revision = series.revisions[number]
            yield {
                # In the order of the revisions: of samples of one time, the last metadata counts.
                "id": f"gnocchi/{series.resource_id}/{meter.metric}/{timestamp}/{revision.start}",
                "timestamp": timestamp,
                "volume": meter.volume.resolve(revision.attributes, aggregate.value, aggregate.metrics),
                "metadata": {**lasting[number], **measured},
                **constant,
            }


# Cached: all series have the same times.
@functools.lru_cache(maxsize=4096)
def _format(start: int) -> str:
    return datetime.datetime.fromtimestamp(start, datetime.UTC).replace(tzinfo=None).isoformat()
