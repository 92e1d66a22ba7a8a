# SPDX-License-Identifier: Apache-2.0
"""Resources that a test adds to Gnocchi, with any revisions, metrics and measures."""

import bisect
import datetime
import itertools
import operator
import threading
import uuid
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import gnocchi_schema
from distil.sandbox.data.gnocchi_schema import ArchivePolicy
from distil.sandbox.data.gnocchi_store import CURRENT_REVISION
from distil.sandbox.data.gnocchi_store import GENERIC
from distil.sandbox.data.gnocchi_store import AttributeSchema
from distil.sandbox.data.gnocchi_store import Measure
from distil.sandbox.data.gnocchi_store import Row
from distil.sandbox.query import attribute_filter
from distil.sandbox.query import intervals


class AddedMetric:
    """A metric of a resource; see :class:`.GnocchiMetric`."""

    def __init__(self, resource: "AddedResource", name: str, unit: str | None, policy: ArchivePolicy) -> None:
        self.id = str(uuid.uuid4())
        self.resource = resource
        self.name = name
        self.unit = unit
        self.policy = policy
        self._measures: list[Measure] = []

    def add(self, measures: Iterable[Measure]) -> None:
        """Add measures; one of the same time replaces an earlier one."""
        self._measures = sorted({**dict(self._measures), **dict(measures)}.items())

    def measures(self, start_us: int, end_us: int) -> Sequence[Measure]:
        first, last = (bisect.bisect_left(self._measures, (bound,)) for bound in (start_us, end_us))
        return self._measures[first:last]

    def newest_us(self) -> int:
        return self._measures[-1][0] if self._measures else 0


class AddedResource:
    """A resource; see :class:`.GnocchiResource`.

    :param rows: the revisions without metrics.
    """

    def __init__(self, identifier: str, resource_type: str, rows: Sequence[Row]) -> None:
        self.id = identifier
        self.type = resource_type
        self._rows = rows
        self._metrics: dict[str, AddedMetric] = {}

    @property
    def project_ids(self) -> frozenset[Any]:
        return frozenset(row["project_id"] for row in self._rows)

    def metrics(self) -> list[AddedMetric]:
        return list(self._metrics.values())

    def revisions(self) -> list[Row]:
        metrics = {metric.name: metric.id for metric in self.metrics()}
        return [{**row, "metrics": metrics} for row in self._rows]

    def metric(self, name: str, unit: str | None, policy: ArchivePolicy) -> AddedMetric:
        """Return the metric of a name, which is created if there is none."""
        return self._metrics.setdefault(name, AddedMetric(self, name, unit, policy))


class AddedGnocchi:
    """Holds the resources that a test adds; see :class:`.GnocchiSource`.

    :param policies: by name; tests can add more.
    :param types: attributes by resource type; tests can add more.
    :param creator: user and project of Ceilometer, separated by a colon.
    """

    def __init__(
        self, policies: dict[str, ArchivePolicy], types: dict[str, Mapping[str, AttributeSchema]], creator: str
    ) -> None:
        self._policies = policies
        self._types = types
        self._creator = creator
        self._resources: dict[str, AddedResource] = {}
        self._lock = threading.Lock()

    def add_policy(self, policy: ArchivePolicy) -> None:
        self._policies[policy.name] = policy

    def add_type(self, name: str, *attributes: str) -> None:
        """Add a resource type.

        :param attributes: names of its attributes, which are optional strings.
        """
        self._types[name] = dict.fromkeys(attributes, gnocchi_schema.STRING)

    def add_resource(
        self,
        resource_type: str,
        project_id: str | None,
        *revisions: tuple[datetime.datetime, Mapping[str, Any]],
        identifier: str | None = None,
        ended_at: datetime.datetime | None = None,
    ) -> str:
        """Add a resource and return its ID, which is a UUID.

        :param revisions: when each starts, and attributes, also ``project_id`` if it was another one.
        :param identifier: that Ceilometer gave it; by default a new UUID.
        :raises ValueError: the type or an attribute is unknown.
        """
        original_id = identifier or str(uuid.uuid4())
        common: dict[str, Any] = {
            "id": attribute_filter.to_uuid(original_id),
            "type": resource_type,
            "creator": self._creator,
            "started_at": revisions[0][0],
            "ended_at": ended_at,
            "user_id": None,
            "project_id": project_id,
            "original_resource_id": original_id,
        }
        if resource_type not in self._types:
            raise ValueError(f"resource type {resource_type!r} is unknown")
        unknown = {name for _, attributes in revisions for name in attributes} - {*common, *self._types[resource_type]}
        if unknown:
            raise ValueError(f"resource type {resource_type!r} has no {', '.join(sorted(unknown))}")
        common |= dict.fromkeys(self._types[resource_type])
        ends = [start for start, _ in revisions[1:]]
        rows = [
            {**common, **attributes, "revision": number, "revision_start": start, "revision_end": end}
            for number, ((start, attributes), end) in enumerate(itertools.zip_longest(revisions, ends))
        ]
        rows[-1]["revision"] = CURRENT_REVISION
        with self._lock:
            self._resources[common["id"]] = AddedResource(common["id"], resource_type, rows)
        return str(common["id"])

    def delete_resource(self, identifier: str) -> None:
        """Delete a resource with its history and its measures."""
        with self._lock:
            del self._resources[identifier]

    def add_measures(
        self,
        resource_id: str,
        metric: str,
        policy: str,
        measures: Iterable[tuple[datetime.datetime, float]],
        unit: str | None = None,
    ) -> str:
        """Add measures to a metric, which is created if the resource has none of this name, and return its ID.

        :param policy: name of the archive policy of a new metric, which has this unit, too.
        :param measures: aware times and values.
        """
        with self._lock:
            found = self._resources[resource_id].metric(metric, unit, self._policies[policy])
            found.add((intervals.to_microseconds(time), value) for time, value in measures)
            return found.id

    def clear(self) -> None:
        """Remove all resources."""
        with self._lock:
            self._resources = {}

    def find(self, resource_type: str, identifiers: Collection[str]) -> list[AddedResource]:
        return [resource for resource in self._of_type(resource_type) if resource.id in identifiers]

    def of_projects(self, resource_type: str, project_ids: Collection[str]) -> list[AddedResource]:
        return [resource for resource in self._of_type(resource_type) if resource.project_ids & {*project_ids}]

    def after(self, resource_type: str, identifier: str) -> list[AddedResource]:
        return [resource for resource in self._of_type(resource_type) if resource.id > identifier]

    def find_metric(self, identifier: str) -> AddedMetric | None:
        return next((metric for metric in self._metrics() if metric.id == identifier), None)

    def metrics_after(self, name: str | None, identifier: str) -> list[AddedMetric]:
        found = (metric for metric in self._metrics() if name in (None, metric.name) and metric.id > identifier)
        return sorted(found, key=operator.attrgetter("id"))

    def _of_type(self, resource_type: str) -> list[AddedResource]:
        """Return the resources of a type, sorted by ID."""
        with self._lock:
            found = [each for each in self._resources.values() if resource_type in (GENERIC, each.type)]
        return sorted(found, key=operator.attrgetter("id"))

    def _metrics(self) -> list[AddedMetric]:
        return [metric for resource in self._of_type(GENERIC) for metric in resource.metrics()]
