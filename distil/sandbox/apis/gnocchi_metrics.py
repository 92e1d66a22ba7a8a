# SPDX-License-Identifier: Apache-2.0
"""The metrics of Gnocchi's resources as its API lists them."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data.gnocchi_store import GnocchiMetric
from distil.sandbox.data.gnocchi_store import GnocchiStore


def matching_metrics(store: GnocchiStore, arguments: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Return the documents of the metrics after the marker that match the filters, sorted by ID.

    :param arguments: of the request; those that are no filter are ignored.
    """
    for metric in store.metrics_after(arguments.get("name"), arguments.get("marker") or ""):
        if not metric.resource.revisions():
            continue
        document = describe_metric(metric)
        filtered = {
            "id": metric.id,
            "unit": metric.unit,
            "archive_policy_name": metric.policy.name,
            "status": "active",
            "creator": document["creator"],
            "user_id": document["created_by_user_id"],
            "project_id": document["created_by_project_id"],
        }
        if all(arguments.get(name, value) == value for name, value in filtered.items()):
            yield {**document, "resource_id": metric.resource.id}


def describe_metric(metric: GnocchiMetric) -> dict[str, Any]:
    """Return the document of a metric without its resource."""
    creator = metric.resource.revisions()[-1]["creator"]
    return {
        "id": metric.id,
        "creator": creator,
        "name": metric.name,
        "unit": metric.unit,
        "archive_policy": metric.policy.as_json(),
        **created_by(creator),
    }


def created_by(creator: str) -> dict[str, str]:
    """Return user and project of a creator, which are separated by a colon."""
    user, _, project = creator.partition(":")
    return {"created_by_user_id": user, "created_by_project_id": project}
