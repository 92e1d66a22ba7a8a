# SPDX-License-Identifier: Apache-2.0
"""Gnocchi's aggregates of many resources' metrics, without grouping."""

import dataclasses
import datetime
import fnmatch
import functools
import operator
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.apis.gnocchi_metrics import describe_metric
from distil.sandbox.apis.gnocchi_requests import GnocchiError
from distil.sandbox.apis.gnocchi_requests import invalid_input
from distil.sandbox.apis.gnocchi_requests import parse_boolean
from distil.sandbox.apis.gnocchi_requests import parse_granularity
from distil.sandbox.apis.gnocchi_requests import parse_time
from distil.sandbox.data.gnocchi_measures import Unprocessed
from distil.sandbox.data.gnocchi_measures import aggregate
from distil.sandbox.data.gnocchi_search import ResourceSearch
from distil.sandbox.data.gnocchi_store import GnocchiMetric
from distil.sandbox.data.gnocchi_store import GnocchiResource
from distil.sandbox.data.gnocchi_store import GnocchiStore
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.query import intervals

_REFERENCE_LENGTH = 2


class _Reference(NamedTuple):
    """A pattern of metric names, or the ID of a metric; and an aggregation method."""

    pattern: str
    method: str


@dataclasses.dataclass(frozen=True)
class AggregatesQuery:
    """A request for aggregates.

    :param start_us: in microseconds since 1970, as is ``end_us``.
    :param granularity: in seconds; None for what all metrics have in common.
    :param resource_type: None if metrics are referenced by their IDs.
    :param search: filter of the resources, decoded from JSON.
    :param details: whether metrics that are referenced by ID are described, too.
    """

    references: tuple[_Reference, ...]
    resource_type: str | None
    search: Any
    start_us: int
    end_us: int
    granularity: float | None
    details: bool

    @classmethod
    def parse(cls, request: HTTPRequest, body: Any) -> "AggregatesQuery":
        """Parse a request.

        :raises GnocchiError: Gnocchi or the sandbox rejects it.
        """
        unsupported = {"groupby", "use_history", "needed_overlap", "fill"} & dict(request.query).keys()
        if unsupported:
            raise GnocchiError(400, f"The sandbox does not support {', '.join(sorted(unsupported))}")
        keys = body.keys() if isinstance(body, dict) else ()
        if keys not in ({"operations"}, {"operations", "resource_type", "search"}):
            raise invalid_input("the sandbox requires operations, or operations, resource_type and search")
        start, stop = parse_time(request, "start"), parse_time(request, "stop")
        return cls(
            tuple(_references(body["operations"])),
            body.get("resource_type"),
            body.get("search"),
            intervals.MIN_US if start is None else intervals.to_microseconds(start),
            intervals.MAX_US if stop is None else intervals.to_microseconds(stop),
            parse_granularity(request),
            parse_boolean(request, "details", "false"),
        )


class GnocchiAggregates:
    """Answers requests for aggregates."""

    def __init__(self, store: GnocchiStore, search: ResourceSearch) -> None:
        self._store = store
        self._search = search

    def fetch(self, query: AggregatesQuery, unprocessed: Unprocessed | None) -> dict[str, Any]:
        """Return the aggregates by resource, metric and method; without a resource type by metric and method.

        :param unprocessed: measures that are missing.
        :raises GnocchiError: there is no such metric, or a metric lacks method or granularity.
        :raises InvalidFilter: Gnocchi rejects the filter.
        """
        if query.resource_type is None:
            return self._fetch_by_id(query, unprocessed)
        resources = self._search.current(query.resource_type, query.search)
        found = [pair for resource in resources for pair in _referenced(resource, query.references)]
        if not found:
            names = sorted({reference.pattern for reference in query.references})
            raise GnocchiError(404, f"Metric {names} does not exist")
        _check(found, query.granularity, operator.attrgetter("name"))
        measures: dict[str, dict[str, dict[str, list[Any]]]] = {}
        for metric, method in found:
            of_metric = measures.setdefault(metric.resource.id, {}).setdefault(metric.name, {})
            of_metric[method] = _points(metric, method, query, unprocessed)
        return {"measures": measures}

    def _fetch_by_id(self, query: AggregatesQuery, unprocessed: Unprocessed | None) -> dict[str, Any]:
        metrics = {identifier: self._store.find_metric(identifier) for identifier, _ in query.references}
        unknown = [identifier for identifier, metric in metrics.items() if metric is None]
        if unknown:
            reason = "Provided metrics don't exists"
            raise GnocchiError(404, {"cause": "Unknown metrics", "reason": reason, "detail": unknown})
        known = {identifier: metric for identifier, metric in metrics.items() if metric is not None}
        found = [(known[identifier], method) for identifier, method in query.references]
        _check(found, query.granularity, operator.attrgetter("id"))
        measures: dict[str, dict[str, list[Any]]] = {}
        for metric, method in found:
            measures.setdefault(metric.id, {})[method] = _points(metric, method, query, unprocessed)
        described = {"references": [describe_metric(metric) for metric in known.values()]}
        return {"measures": measures} | (described if query.details else {})


def _points(metric: GnocchiMetric, method: str, query: AggregatesQuery, unprocessed: Unprocessed | None) -> list[Any]:
    points = aggregate(metric, method, query.start_us, query.end_us, unprocessed)
    return [[_format(start), float(length), value] for start, length, value in points]


def _referenced(resource: GnocchiResource, references: Iterable[_Reference]) -> Iterator[tuple[GnocchiMetric, str]]:
    for pattern, method in references:
        for metric in resource.metrics():
            if fnmatch.fnmatch(metric.name, pattern):
                yield metric, method


def _check(
    found: Sequence[tuple[GnocchiMetric, str]], granularity: float | None, name: Callable[[GnocchiMetric], str]
) -> None:
    """Check that all metrics have method and granularity; Gnocchi names one metric that lacks the method.

    :param name: how Gnocchi names a metric that lacks the granularity.
    """
    for metric, method in found:
        if method not in metric.policy.aggregation_methods:
            detail = [[metric.id, method]]
            raise GnocchiError(404, {"cause": "Metrics with unknown aggregation", "detail": detail})
    missing: list[list[Any]]
    if granularity is None:
        missing = [[name(metric), method] for metric, method in found]
        reason, lacks = "No granularity match", len({metric.policy.granularity for metric, _ in found}) > 1
    else:
        missing = [
            [name(metric), method, granularity] for metric, method in found if metric.policy.granularity != granularity
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
