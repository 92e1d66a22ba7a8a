# SPDX-License-Identifier: Apache-2.0
"""The part of Ceilometer's v2 API that serves samples, meters and counts, with Ceilometer's limits and order."""

import base64
import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from distil.sandbox.apis import ceilometer_statistics
from distil.sandbox.data.sample_store import SampleStore
from distil.sandbox.data.synthetic_samples import Series
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response
from distil.sandbox.query import parser
from distil.sandbox.query.parser import InvalidQuery
from distil.sandbox.query.parser import SimpleCondition
from distil.sandbox.query.parser import SortKey

_QUERY_ARGUMENTS = ("q.field", "q.op", "q.value", "q.type")

_NEWEST_FIRST = [SortKey("timestamp", descending=True)]


class CeilometerApi(Api):
    """Serves samples and meters of all projects.

    :param default_limit: maximum samples in the response to a query without a limit, which is truncated silently.
    """

    name = "metering"
    prefix = "metering"

    def __init__(self, url: str, tokens: Tokens, sample_store: SampleStore, default_limit: int) -> None:
        super().__init__(url, tokens)
        self._sample_store = sample_store
        self._default_limit = default_limit

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/v2/samples", self._samples),
            Route("POST", "/v2/query/samples", self._query_samples),
            Route("GET", "/v2/meters", self._meters),
            Route("GET", "/v2/meters/{name}", self._samples_of_meter),
            Route("GET", "/v2/meters/{name}/statistics", self._statistics),
            Route("GET", "/", self._versions, public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        fault = {"debuginfo": None, "faultcode": "Client" if status < 500 else "Server", "faultstring": message}  # noqa: PLR2004
        return json_response({"error_message": fault}, status)

    def _versions(self, _: HTTPRequest) -> HTTPResponse:
        version = {
            "id": "v2",
            "status": "stable",
            "updated": "2013-02-13T00:00:00Z",
            "links": [{"href": f"{self.url}/v2", "rel": "self"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.telemetry-v2+json"}],
        }
        return json_response({"versions": {"values": [version]}})

    def _samples(self, request: HTTPRequest) -> HTTPResponse:
        return self._find(request, _conditions(request), legacy=False)

    def _samples_of_meter(self, request: HTTPRequest, name: str) -> HTTPResponse:
        return self._find(request, [*_conditions(request), SimpleCondition("meter", "eq", name)], legacy=True)

    def _find(self, request: HTTPRequest, conditions: list[SimpleCondition], *, legacy: bool) -> HTTPResponse:
        limit = self._limit(_parse_limit(request.argument("limit")))
        query = parser.parse_simple(conditions)
        return _join(self._sample_store.find(query, _NEWEST_FIRST, limit, legacy=legacy))

    def _query_samples(self, request: HTTPRequest) -> HTTPResponse:
        body = _query_body(request)
        query = parser.parse_complex(body["filter"]) if "filter" in body else parser.parse_simple(())
        order = parser.parse_order(body["orderby"]) if "orderby" in body else _NEWEST_FIRST
        limit = self._limit(_parse_limit(body.get("limit")))
        return _join(self._sample_store.find(query, order, limit, legacy=False))

    def _meters(self, request: HTTPRequest) -> HTTPResponse:
        limit = self._limit(_parse_limit(request.argument("limit")))
        query = parser.parse_simple(_conditions(request), allow_timestamps=False)
        unique = (request.argument("unique") or "").lower() in ("1", "t", "true", "on", "y", "yes")
        series = self._sample_store.series(query)
        meters = _unique_meters(series) if unique else map(_meter, series)
        return json_response(list(itertools.islice(meters, limit)))

    def _statistics(self, request: HTTPRequest, name: str) -> HTTPResponse:
        conditions = [*_conditions(request, ceilometer_statistics.ARGUMENTS), SimpleCondition("meter", "eq", name)]
        statistics = ceilometer_statistics.Statistics(request, conditions)
        return json_response(list(statistics.rows(self._sample_store)))

    def _limit(self, requested: int | None) -> int:
        limit = self._default_limit if requested is None else requested
        if limit <= 0:
            raise InvalidQuery("Limit must be positive")
        return limit

    def _handle(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return super()._handle(request, route, arguments)
        except InvalidQuery as error:
            return self.error(error.status, str(error))


def _conditions(request: HTTPRequest, others: Sequence[str] = ("limit", "unique")) -> list[SimpleCondition]:
    """:param others: names of the arguments that are allowed beside the query's."""
    arguments: dict[str, list[str]] = {name: [] for name in (*_QUERY_ARGUMENTS, *others)}
    for name, value in request.query:
        if name not in arguments:
            raise InvalidQuery(f'Unknown argument: "{name}"')
        arguments[name].append(value)
    fields = arguments["q.field"]
    columns = itertools.zip_longest(fields, arguments["q.op"], arguments["q.value"], fillvalue="")
    rows = itertools.islice(columns, len(fields))
    return [SimpleCondition(field, operator or "eq", value) for field, operator, value in rows]


def _query_body(request: HTTPRequest) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as error:
        raise InvalidQuery("Request is not in valid JSON format") from error
    if not isinstance(body, dict):
        raise InvalidQuery(f"{type(body).__name__!r} object has no attribute 'keys'", status=500)
    unknown = sorted(body.keys() - {"filter", "orderby", "limit"})
    if unknown:
        raise InvalidQuery(f"Unknown attribute for argument body: {', '.join(unknown)}")
    return body


def _parse_limit(value: object) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError as error:
        text = f"Invalid input for field/attribute limit. Value: '{value}'. unable to convert to int"
        raise InvalidQuery(text) from error


def _join(samples: Iterable[str]) -> HTTPResponse:
    return HTTPResponse(200, f"[{', '.join(samples)}]".encode())


def _meter(series: Series) -> dict[str, Any]:
    attributes = {
        key: series.field_value(key) for key in ("type", "unit", "resource_id", "project_id", "user_id", "source")
    }
    identity = f"{attributes['resource_id']}+{series.meter.name}".encode()
    return {"name": series.meter.name, **attributes, "meter_id": base64.b64encode(identity).decode()}


def _unique_meters(series: Iterable[Series]) -> Iterator[dict[str, Any]]:
    """Return one entry for each meter, without resource and project."""
    seen: set[str] = set()
    for item in series:
        if item.meter.name not in seen:
            seen.add(item.meter.name)
            yield {**_meter(item), **dict.fromkeys(("resource_id", "project_id", "user_id", "source"))}
