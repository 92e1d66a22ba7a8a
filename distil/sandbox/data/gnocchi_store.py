# SPDX-License-Identifier: Apache-2.0
"""What Gnocchi stores: resources with revisions and metrics, from one or more sources."""

import heapq
import operator
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from distil.sandbox.data.gnocchi_schema import ArchivePolicy

GENERIC = "generic"
"""The type of all resources."""

CURRENT_REVISION = -1
"""Number of the revision that has not ended."""

Row = dict[str, Any]
"""A revision as the API lists it, with its number as ``revision``, and with times that are no texts yet."""

Measure = tuple[int, float]
"""Time in microseconds since 1970, and value."""

AttributeSchema = Mapping[str, Any]


class GnocchiMetric(Protocol):
    """A metric of a resource."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str | None: ...

    @property
    def policy(self) -> ArchivePolicy: ...

    @property
    def resource(self) -> "GnocchiResource": ...

    def measures(self, start_us: int, end_us: int) -> Iterable[Measure]:
        """Return the measures in [start, end), oldest first."""

    def newest_us(self) -> int:
        """Return the time of the newest measure, or 0 without any."""


class GnocchiResource(Protocol):
    """A resource."""

    @property
    def id(self) -> str: ...

    @property
    def type(self) -> str: ...

    def revisions(self) -> Sequence[Row]:
        """Return the revisions, oldest first; empty if the resource does not exist yet."""

    def metrics(self) -> Sequence[GnocchiMetric]: ...


class GnocchiSource(Protocol):
    """Resources of all projects. A type of resources includes all if it is :data:`GENERIC`."""

    def find(self, resource_type: str, identifiers: Collection[str]) -> Iterable[GnocchiResource]:
        """Return the resources with these IDs, sorted by ID."""

    def of_projects(self, resource_type: str, project_ids: Collection[str]) -> Iterable[GnocchiResource]:
        """Return the resources whose project is or was one of these, sorted by ID."""

    def after(self, resource_type: str, identifier: str) -> Iterable[GnocchiResource]:
        """Return the resources whose ID exceeds another, sorted by ID."""

    def find_metric(self, identifier: str) -> GnocchiMetric | None:
        """Return the metric with this ID, or None without one."""

    def metrics_after(self, name: str | None, identifier: str) -> Iterable[GnocchiMetric]:
        """Return the metrics of a name, or all, whose ID exceeds another, sorted by ID."""


class GnocchiStore:
    """Joins sources.

    :ivar policies: by name.
    :ivar types: attributes by resource type, beside those that every type has.
    """

    def __init__(
        self,
        policies: Mapping[str, ArchivePolicy],
        types: Mapping[str, Mapping[str, AttributeSchema]],
        sources: Sequence[GnocchiSource],
    ) -> None:
        self.policies = policies
        self.types = types
        self._sources = sources

    def find(self, resource_type: str, identifiers: Collection[str]) -> Iterator[GnocchiResource]:
        """See :meth:`GnocchiSource.find`."""
        return _merge(source.find(resource_type, identifiers) for source in self._sources)

    def of_projects(self, resource_type: str, project_ids: Collection[str]) -> Iterator[GnocchiResource]:
        """See :meth:`GnocchiSource.of_projects`."""
        return _merge(source.of_projects(resource_type, project_ids) for source in self._sources)

    def after(self, resource_type: str, identifier: str) -> Iterator[GnocchiResource]:
        """See :meth:`GnocchiSource.after`."""
        return _merge(source.after(resource_type, identifier) for source in self._sources)

    def find_metric(self, identifier: str) -> GnocchiMetric | None:
        """See :meth:`GnocchiSource.find_metric`."""
        found = (source.find_metric(identifier) for source in self._sources)
        return next((metric for metric in found if metric is not None), None)

    def metrics_after(self, name: str | None, identifier: str) -> Iterator[GnocchiMetric]:
        """See :meth:`GnocchiSource.metrics_after`."""
        streams = (source.metrics_after(name, identifier) for source in self._sources)
        return heapq.merge(*streams, key=operator.attrgetter("id"))


def _merge(streams: Iterable[Iterable[GnocchiResource]]) -> Iterator[GnocchiResource]:
    return heapq.merge(*streams, key=operator.attrgetter("id"))
