# SPDX-License-Identifier: Apache-2.0
"""The metrics of Gnocchi's resources as its API lists them."""

import heapq
import operator
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data.gnocchi_resources import GnocchiMetric
from distil.sandbox.data.gnocchi_resources import GnocchiResources
from distil.sandbox.data.gnocchi_schema import KINDS


class GnocchiMetrics:
    """Lists metrics."""

    def __init__(self, resources: GnocchiResources) -> None:
        self._resources = resources

    def find(self, identifier: str) -> GnocchiMetric | None:
        """Return the metric with this ID, or None without one."""
        metric = self._resources.find_metric(identifier)
        return metric if metric is not None and self._resources.ticks(metric.resource) else None

    def documents(self, arguments: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Return the documents of the metrics after the marker that match the filters, sorted by ID.

        :param arguments: of the request; those that are no filter are ignored.
        """
        user, _, project = self._resources.creator.partition(":")
        creator = {"creator": self._resources.creator, "user_id": user, "project_id": project}
        for metric in self._after(arguments.get("marker") or "", arguments.get("name")):
            definition = metric.definition
            filtered = {
                "id": metric.id,
                "unit": definition.unit,
                "archive_policy_name": definition.policy.name,
                "status": "active",
                **creator,
            }
            if all(arguments.get(name, value) == value for name, value in filtered.items()):
                yield {**self.describe(metric), "resource_id": metric.resource.id}

    def describe(self, metric: GnocchiMetric) -> dict[str, Any]:
        """Return the document of a metric without its resource."""
        user, _, project = self._resources.creator.partition(":")
        return {
            "id": metric.id,
            "creator": self._resources.creator,
            "name": metric.definition.name,
            "unit": metric.definition.unit,
            "archive_policy": metric.definition.policy.as_json(),
            "created_by_user_id": user,
            "created_by_project_id": project,
        }

    def _after(self, identifier: str, name: str | None) -> Iterator[GnocchiMetric]:
        """Return the metrics whose ID exceeds another, sorted by ID."""
        streams = (
            self._resources.metrics_after(kind, metric, identifier)
            for kind in KINDS.values()
            for metric in kind.metrics
            if name in (None, metric.name)
        )
        merged = heapq.merge(*streams, key=operator.attrgetter("id"))
        return (metric for metric in merged if self._resources.ticks(metric.resource))
