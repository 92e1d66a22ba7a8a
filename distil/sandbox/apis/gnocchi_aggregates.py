# SPDX-License-Identifier: Apache-2.0
"""Gnocchi's aggregates of many resources' metrics, without grouping."""

import dataclasses
import datetime
import fnmatch
import functools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.apis.gnocchi_requests import GnocchiError
from distil.sandbox.apis.gnocchi_requests import invalid_input
from distil.sandbox.apis.gnocchi_requests import parse_granularity
from distil.sandbox.apis.gnocchi_requests import parse_time
from distil.sandbox.data.gnocchi_measures import GnocchiMeasures
from distil.sandbox.data.gnocchi_resources import GnocchiMetric
from distil.sandbox.data.gnocchi_resources import GnocchiResource
from distil.sandbox.data.gnocchi_resources import GnocchiResources
from distil.sandbox.data.gnocchi_schema import RESOURCE_TYPES
from distil.sandbox.data.gnocchi_search import ResourceSearch
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.query import intervals

_REFERENCE_LENGTH = 2


class _Reference(NamedTuple):
    """A pattern of metric names, and an aggregation method."""

    pattern: str
    method: str


@dataclasses.dataclass(frozen=True)
class AggregatesQuery:
    """A request for aggregates.

    :param start_us: in microseconds since 1970, as is ``end_us``.
    :param granularity: in seconds; None for what all metrics have in common.
    :param search: filter of the resources, decoded from JSON.
    """

    references: tuple[_Reference, ...]
    resource_type: str
    search: Any
    start_us: int
    end_us: int
    granularity: float | None

    @classmethod
    def parse(cls, request: HTTPRequest, body: Any) -> "AggregatesQuery":
        """Parse a request.

        :raises GnocchiError: Gnocchi or the sandbox rejects it.
        """
        unsupported = {"groupby", "use_history", "needed_overlap", "fill"} & dict(request.query).keys()
        if unsupported:
            raise GnocchiError(400, f"The sandbox does not support {', '.join(sorted(unsupported))}")
        if not isinstance(body, dict) or body.keys() != {"operations", "resource_type", "search"}:
            raise invalid_input("the sandbox requires operations, resource_type and search")
        if body["resource_type"] not in RESOURCE_TYPES:
            raise GnocchiError(400, {"cause": "Resource type does not exist", "detail": body["resource_type"]})
        start, stop = parse_time(request, "start"), parse_time(request, "stop")
        return cls(
            tuple(_references(body["operations"])),
            body["resource_type"],
            body["search"],
            intervals.MIN_US if start is None else intervals.to_microseconds(start),
            intervals.MAX_US if stop is None else intervals.to_microseconds(stop),
            parse_granularity(request),
        )


class GnocchiAggregates:
    """Answers requests for aggregates."""

    def __init__(self, resources: GnocchiResources, search: ResourceSearch) -> None:
        self._resources = resources
        self._search = search
        self._measures = GnocchiMeasures(resources)

    def fetch(self, query: AggregatesQuery) -> dict[str, Any]:
        """Return the aggregates by resource, metric and method.

        :raises GnocchiError: none of the resources has such a metric, or a metric lacks method or granularity.
        :raises InvalidFilter: Gnocchi rejects the filter.
        """
        found = [
            (metric, method)
            for resource in self._search.current(query.resource_type, query.search)
            for metric, method in self._referenced(resource, query.references)
        ]
        if not found:
            names = sorted({reference.pattern for reference in query.references})
            raise GnocchiError(404, f"Metric {names} does not exist")
        _check(found, query.granularity)
        measures: dict[str, dict[str, dict[str, list[Any]]]] = {}
        for metric, method in found:
            points = self._measures.aggregate(metric, method, query.start_us, query.end_us)
            of_metric = measures.setdefault(metric.resource.id, {}).setdefault(metric.definition.name, {})
            of_metric[method] = [[_format(start), float(length), value] for start, length, value in points]
        return {"measures": measures}

    def _referenced(
        self, resource: GnocchiResource, references: Iterable[_Reference]
    ) -> Iterator[tuple[GnocchiMetric, str]]:
        for pattern, method in references:
            for metric in self._resources.metrics_of(resource):
                if fnmatch.fnmatch(metric.definition.name, pattern):
                    yield metric, method


def _check(found: Sequence[tuple[GnocchiMetric, str]], granularity: float | None) -> None:
    """Check that all metrics have method and granularity; Gnocchi names one metric that lacks the method."""
    for metric, method in found:
        if method not in metric.definition.policy.aggregation_methods:
            detail = [[metric.id, method]]
            raise GnocchiError(404, {"cause": "Metrics with unknown aggregation", "detail": detail})
    missing: list[list[Any]]
    if granularity is None:
        missing = [[metric.definition.name, method] for metric, method in found]
        reason, lacks = "No granularity match", len({metric.definition.policy.granularity for metric, _ in found}) > 1
    else:
        missing = [
            [metric.definition.name, method, granularity]
            for metric, method in found
            if metric.definition.policy.granularity != granularity
        ]
        reason, lacks = "Granularities are missing", bool(missing)
    if lacks:
        raise GnocchiError(400, {"cause": "Metrics cannot be aggregated", "reason": reason, "detail": missing})


def _references(operations: Any) -> Iterator[_Reference]:
    """Return what ``["metric", NAME, METHOD]`` or ``["metric", [NAME, METHOD], ...]`` refers to."""
    if not isinstance(operations, list) or operations[:1] != ["metric"]:
        raise invalid_input("the sandbox requires operations that are a list for 'metric'")
    names = operations[1:]
    for reference in [names] if all(isinstance(name, str) for name in names) else names:
        if len(reference) != _REFERENCE_LENGTH or not all(isinstance(part, str) for part in reference):
            raise invalid_input(f"invalid list value {reference!r} @ data['operations']")
        yield _Reference(*reference)


@functools.lru_cache(maxsize=4096)
def _format(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
