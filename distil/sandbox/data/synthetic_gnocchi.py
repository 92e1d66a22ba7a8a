# SPDX-License-Identifier: Apache-2.0
"""The synthetic cloud as Gnocchi stores it. Nothing is kept but the order of IDs."""

import dataclasses
import datetime
import heapq
import operator
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

from distil.sandbox.data import gnocchi_schema
from distil.sandbox.data import ids
from distil.sandbox.data import meters
from distil.sandbox.data.gnocchi_schema import KINDS
from distil.sandbox.data.gnocchi_schema import ArchivePolicy
from distil.sandbox.data.gnocchi_schema import Metric
from distil.sandbox.data.gnocchi_schema import ResourceKind
from distil.sandbox.data.gnocchi_store import CURRENT_REVISION
from distil.sandbox.data.gnocchi_store import Measure
from distil.sandbox.data.gnocchi_store import Row
from distil.sandbox.data.ids import ResourceLocation
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.synthetic_samples import INTERVAL_US
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.data.synthetic_samples import phase_us
from distil.sandbox.query import intervals

# From a sample that changes a resource to the revision, and from the creation of a resource to its first revision.
_LAG_US = 250_137
_FIRST_REVISION_LAG = datetime.timedelta(microseconds=117)


class SyntheticGnocchi:
    """Finds resources and metrics.

    :param creator: user and project of Ceilometer, separated by a colon.
    """

    def __init__(self, synthetic_samples: SyntheticSamples, resources: Resources, creator: str) -> None:
        self.seed = synthetic_samples.seed
        self.creator = creator
        self._resources = resources
        self._synthetic_samples = synthetic_samples

    def find(self, resource_type: str, identifiers: Collection[str]) -> Iterator["SyntheticResource"]:
        """See :class:`.GnocchiSource`, like the other methods."""
        for identifier in sorted(identifiers):
            for kind in gnocchi_schema.kinds_of_type(resource_type):
                location = self._resources.locate(kind.name, identifier)
                if location is not None:
                    yield SyntheticResource(self, identifier, kind, location)

    def of_projects(self, resource_type: str, project_ids: Collection[str]) -> list["SyntheticResource"]:
        locations = self._resources.of_projects(project_ids)
        kinds = gnocchi_schema.kinds_of_type(resource_type)
        found = (self._resource(kind, location) for kind in kinds for location in locations)
        return sorted(found, key=operator.attrgetter("id"))

    def after(self, resource_type: str, identifier: str) -> Iterator["SyntheticResource"]:
        streams = (self._after(kind, identifier) for kind in gnocchi_schema.kinds_of_type(resource_type))
        return heapq.merge(*streams, key=operator.attrgetter("id"))

    def find_metric(self, identifier: str) -> "SyntheticMetric | None":
        for kind in KINDS.values():
            for metric in kind.metrics:
                location = self._resources.locate(_id_kind(kind, metric), identifier)
                if location is not None:
                    return SyntheticMetric(self, identifier, metric, self._resource(kind, location))
        return None

    def metrics_after(self, name: str | None, identifier: str) -> Iterator["SyntheticMetric"]:
        streams = (
            self._metrics_after(kind, metric, identifier)
            for kind in KINDS.values()
            for metric in kind.metrics
            if name in (None, metric.name)
        )
        return heapq.merge(*streams, key=operator.attrgetter("id"))

    def metric_of(self, resource: "SyntheticResource", metric: Metric) -> "SyntheticMetric":
        identifier = self._resources.id_of(_id_kind(resource.kind, metric), resource.location)
        return SyntheticMetric(self, identifier, metric, resource)

    def ticks(self, location: ResourceLocation) -> range:
        """Return the ticks at which a resource has samples."""
        ((start, end),) = self._synthetic_samples.period().intervals
        phase = phase_us(location.index)
        return range(-((phase - start) // INTERVAL_US), -((phase - end) // INTERVAL_US))

    def _after(self, kind: ResourceKind, identifier: str) -> Iterator["SyntheticResource"]:
        return (self._resource(kind, location) for location in self._resources.after(kind.name, identifier))

    def _metrics_after(self, kind: ResourceKind, metric: Metric, identifier: str) -> Iterator["SyntheticMetric"]:
        for location in self._resources.after(_id_kind(kind, metric), identifier):
            yield self.metric_of(self._resource(kind, location), metric)

    def _resource(self, kind: ResourceKind, location: ResourceLocation) -> "SyntheticResource":
        return SyntheticResource(self, self._resources.id_of(kind.name, location), kind, location)


@dataclasses.dataclass(frozen=True, slots=True)
class SyntheticResource:
    """A resource of one kind; see :class:`.GnocchiResource`."""

    source: SyntheticGnocchi
    id: str
    kind: ResourceKind
    location: ResourceLocation

    @property
    def type(self) -> str:
        return self.kind.type

    def measured_by(self, meter: str) -> meters.MeteredResource:
        """Return the resource as a meter measures it."""
        return meters.metered_resource(self.source.seed, self.location.project, meter, self.location.index)

    def metrics(self) -> list["SyntheticMetric"]:
        return [self.source.metric_of(self, metric) for metric in self.kind.metrics]

    def revisions(self) -> list[Row]:
        ticks = self.source.ticks(self.location)
        if not ticks:
            return []
        changes = self._revision_ticks(ticks)
        starts = [self._wall_clock(tick) for tick in changes]
        common = self._common_attributes(started_at=starts[0])
        starts[0] += _FIRST_REVISION_LAG
        return [
            {
                **common,
                **self._attributes(tick),
                "revision": number if end else CURRENT_REVISION,
                "revision_start": start,
                "revision_end": end,
            }
            for number, (tick, start, end) in enumerate(zip(changes, starts, [*starts[1:], None], strict=True))
        ]

    def _common_attributes(self, started_at: datetime.datetime) -> dict[str, Any]:
        measured = self.measured_by(self.kind.meter)
        return {
            "id": self.id,
            "type": self.type,
            "creator": self.source.creator,
            "started_at": started_at,
            "ended_at": None,
            "user_id": ids.stable_id(measured.project_id, "user"),
            "project_id": measured.project_id,
            "original_resource_id": measured.id.replace("/", "_"),
            "metrics": {metric.name: metric.id for metric in self.metrics()},
        }

    def _attributes(self, tick: int) -> dict[str, Any]:
        version = meters.version_at(self.location.index, tick)
        attributes = self.kind.attributes(self.measured_by(self.kind.meter), version)
        return dict.fromkeys(gnocchi_schema.RESOURCE_TYPES[self.type]) | attributes

    def _revision_ticks(self, ticks: range) -> list[int]:
        """Return the first tick of each revision."""
        step = meters.TICKS_PER_VERSION
        changes = range(ticks.start // step * step + step, ticks.stop, step)
        return [ticks.start, *(changes if len(meters.versions(self.location.index)) > 1 else ())]

    def _wall_clock(self, tick: int) -> datetime.datetime:
        """Return when Gnocchi learns of the sample at a tick."""
        return intervals.from_microseconds(tick * INTERVAL_US + phase_us(self.location.index) + _LAG_US)


@dataclasses.dataclass(frozen=True, slots=True)
class SyntheticMetric:
    """A metric of a resource; see :class:`.GnocchiMetric`."""

    source: SyntheticGnocchi
    id: str
    definition: Metric
    resource: SyntheticResource

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def unit(self) -> str:
        return self.definition.unit

    @property
    def policy(self) -> ArchivePolicy:
        return self.definition.policy

    def measures(self, start_us: int, end_us: int) -> Iterator[Measure]:
        phase, ticks = phase_us(self.resource.location.index), self.source.ticks(self.resource.location)
        first, last = (-((phase - bound) // INTERVAL_US) for bound in (start_us, end_us))
        measured = self.resource.measured_by(self.definition.meter)
        for tick in range(max(ticks.start, first), min(ticks.stop, last)):
            yield tick * INTERVAL_US + phase, self.definition.value(measured, tick)

    def newest_us(self) -> int:
        ticks = self.source.ticks(self.resource.location)
        return (ticks.stop - 1) * INTERVAL_US + phase_us(self.resource.location.index) if ticks else 0


def _id_kind(kind: ResourceKind, metric: Metric) -> str:
    """Return the kind by which IDs of a metric differ from those of others."""
    return f"{kind.name}/{metric.name}"
