# SPDX-License-Identifier: Apache-2.0
"""Resources and metrics as Gnocchi lists them: revisions with attributes, by ID or in the order of IDs."""

import dataclasses
import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data import meters
from distil.sandbox.data.gnocchi_schema import KINDS
from distil.sandbox.data.gnocchi_schema import RESOURCE_TYPES
from distil.sandbox.data.gnocchi_schema import Metric
from distil.sandbox.data.gnocchi_schema import ResourceKind
from distil.sandbox.data.ids import ResourceLocation
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.synthetic_samples import INTERVAL_US
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.data.synthetic_samples import phase_us
from distil.sandbox.query import intervals

CURRENT_REVISION = -1

# From a sample that changes a resource to the revision, and from the creation of a resource to its first revision.
_LAG_US = 250_137
_FIRST_REVISION_LAG = datetime.timedelta(microseconds=117)


@dataclasses.dataclass(frozen=True, slots=True)
class GnocchiResource:
    """A resource of one kind."""

    id: str
    kind: ResourceKind
    location: ResourceLocation


@dataclasses.dataclass(frozen=True, slots=True)
class GnocchiMetric:
    """A metric of a resource."""

    id: str
    definition: Metric
    resource: GnocchiResource


class GnocchiResources:
    """Finds resources and metrics.

    :param creator: user and project of Ceilometer, separated by a colon.
    """

    def __init__(self, synthetic_samples: SyntheticSamples, resources: Resources, creator: str) -> None:
        self.creator = creator
        self._seed = synthetic_samples.seed
        self._resources = resources
        self._synthetic_samples = synthetic_samples

    def find(self, kind: ResourceKind, identifiers: Iterable[str]) -> Iterator[GnocchiResource]:
        """Return the resources of a kind with these IDs, sorted by ID."""
        for identifier in sorted(identifiers):
            location = self._resources.locate(kind.name, identifier)
            if location is not None:
                yield GnocchiResource(identifier, kind, location)

    def of_projects(self, kind: ResourceKind, project_ids: Collection[str]) -> list[GnocchiResource]:
        """Return the resources of a kind in projects, sorted by ID."""
        found = [self._resource(kind, location) for location in self._resources.of_projects(project_ids)]
        return sorted(found, key=lambda resource: resource.id)

    def after(self, kind: ResourceKind, identifier: str) -> Iterator[GnocchiResource]:
        """Return the resources of a kind whose ID exceeds another, sorted by ID."""
        return (self._resource(kind, location) for location in self._resources.after(kind.name, identifier))

    def find_metric(self, identifier: str) -> GnocchiMetric | None:
        """Return the metric with this ID, or None without one."""
        for kind in KINDS.values():
            for metric in kind.metrics:
                location = self._resources.locate(_id_kind(kind, metric), identifier)
                if location is not None:
                    return GnocchiMetric(identifier, metric, self._resource(kind, location))
        return None

    def metrics_of(self, resource: GnocchiResource) -> list[GnocchiMetric]:
        return [self._metric(metric, resource) for metric in resource.kind.metrics]

    def metrics_after(self, kind: ResourceKind, metric: Metric, identifier: str) -> Iterator[GnocchiMetric]:
        """Return a metric of all resources of a kind whose own ID exceeds another, sorted by ID."""
        locations = self._resources.after(_id_kind(kind, metric), identifier)
        return (self._metric(metric, self._resource(kind, location)) for location in locations)

    def metered(self, resource: GnocchiResource, meter: str) -> meters.MeteredResource:
        """Return the resource as a meter measures it."""
        return meters.metered_resource(self._seed, resource.location.project, meter, resource.location.index)

    def ticks(self, resource: GnocchiResource) -> range:
        """Return the ticks at which the resource has samples."""
        ((start, end),) = self._synthetic_samples.period().intervals
        phase = phase_us(resource.location.index)
        return range(-((phase - start) // INTERVAL_US), -((phase - end) // INTERVAL_US))

    def revisions(self, resource: GnocchiResource) -> list[dict[str, Any]]:
        """Return the revisions, oldest first, as the API lists them, with their number and with times.

        Empty if the resource has no sample yet.
        """
        ticks = self.ticks(resource)
        if not ticks:
            return []
        changes = _revision_ticks(resource, ticks)
        starts = [_wall_clock(resource, tick) for tick in changes]
        common = self._common_attributes(resource, started_at=starts[0])
        starts[0] += _FIRST_REVISION_LAG
        return [
            {
                **common,
                **self._attributes(resource, tick),
                "revision": number if end else CURRENT_REVISION,
                "revision_start": start,
                "revision_end": end,
            }
            for number, (tick, start, end) in enumerate(zip(changes, starts, [*starts[1:], None], strict=True))
        ]

    def _common_attributes(self, resource: GnocchiResource, started_at: datetime.datetime) -> dict[str, Any]:
        measured = self.metered(resource, resource.kind.meter)
        user, _, project = self.creator.partition(":")
        return {
            "id": resource.id,
            "type": resource.kind.type,
            "creator": self.creator,
            "created_by_user_id": user,
            "created_by_project_id": project,
            "started_at": started_at,
            "ended_at": None,
            "user_id": ids.stable_id(measured.project_id, "user"),
            "project_id": measured.project_id,
            "original_resource_id": measured.id.replace("/", "_"),
            "metrics": {metric.definition.name: metric.id for metric in self.metrics_of(resource)},
        }

    def _attributes(self, resource: GnocchiResource, tick: int) -> dict[str, Any]:
        measured = self.metered(resource, resource.kind.meter)
        version = meters.version_at(resource.location.index, tick)
        return dict.fromkeys(RESOURCE_TYPES[resource.kind.type]) | resource.kind.attributes(measured, version)

    def _resource(self, kind: ResourceKind, location: ResourceLocation) -> GnocchiResource:
        return GnocchiResource(self._resources.id_of(kind.name, location), kind, location)

    def _metric(self, metric: Metric, resource: GnocchiResource) -> GnocchiMetric:
        identifier = self._resources.id_of(_id_kind(resource.kind, metric), resource.location)
        return GnocchiMetric(identifier, metric, resource)


def _id_kind(kind: ResourceKind, metric: Metric) -> str:
    """Return the kind by which IDs of a metric differ from those of others."""
    return f"{kind.name}/{metric.name}"


def _revision_ticks(resource: GnocchiResource, ticks: range) -> list[int]:
    """Return the first tick of each revision."""
    step = meters.TICKS_PER_VERSION
    changes = range(ticks.start // step * step + step, ticks.stop, step)
    return [ticks.start, *(changes if len(meters.versions(resource.location.index)) > 1 else ())]


def _wall_clock(resource: GnocchiResource, tick: int) -> datetime.datetime:
    """Return when Gnocchi learns of the sample at a tick."""
    return intervals.from_microseconds(tick * INTERVAL_US + phase_us(resource.location.index) + _LAG_US)
