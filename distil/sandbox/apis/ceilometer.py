# SPDX-License-Identifier: Apache-2.0
"""Ceilometer's v2 API, as far as it serves samples and meters, with the limits and the order of the real one."""

import base64
import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data.sample_store import SampleStore
from distil.sandbox.data.synthetic_samples import Series
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response
from distil.sandbox.query import parser

_NEWEST_FIRST = [("timestamp", True)]


class CeilometerApi(Api):
    """:param default_limit: samples in an answer to a question without a limit; the rest is cut without a word."""

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
        return self._answer_simple(request, _conditions(request), old=False)

    def _samples_of_meter(self, request: HTTPRequest, name: str) -> HTTPResponse:
        return self._answer_simple(request, [*_conditions(request), ("meter", "eq", name)], old=True)

    def _answer_simple(self, request: HTTPRequest, conditions: list[tuple[str, str, str]], old: bool) -> HTTPResponse:
        limit = self._limit(_number(request.argument("limit")))
        question = parser.parse_simple(conditions)
        return _list(self._sample_store.find(question, _NEWEST_FIRST, limit, old))

    def _query_samples(self, request: HTTPRequest) -> HTTPResponse:
        body = _query_body(request)
        question = parser.parse_complex(body["filter"]) if "filter" in body else parser.parse_simple(())
        order = parser.parse_order(body["orderby"]) if "orderby" in body else _NEWEST_FIRST
        return _list(self._sample_store.find(question, order, self._limit(_number(body.get("limit"))), legacy=False))

    def _meters(self, request: HTTPRequest) -> HTTPResponse:
        limit = self._limit(_number(request.argument("limit")))
        question = parser.parse_simple(_conditions(request), with_timestamps=False)
        unique = (request.argument("unique") or "").lower() in ("1", "t", "true", "on", "y", "yes")
        found = self._sample_store.series(question)
        described = _unique_meters(found) if unique else map(_meter, found)
        return json_response(list(itertools.islice(described, limit)))

    def _limit(self, asked: int | None) -> int:
        limit = self._default_limit if asked is None else asked
        if limit <= 0:
            raise parser.InvalidQuery("Limit must be positive")
        return limit

    def _handled(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return super()._handled(request, route, arguments)
        except parser.InvalidQuery as problem:
            return self.error(problem.status, str(problem))


def _conditions(request: HTTPRequest) -> list[tuple[str, str, str]]:
    arguments: dict[str, list[str]] = {
        "q.field": [],
        "q.op": [],
        "q.value": [],
        "q.type": [],
        "limit": [],
        "unique": [],
    }
    for name, value in request.query:
        if name not in arguments:
            raise parser.InvalidQuery(f'Unknown argument: "{name}"')
        arguments[name].append(value)
    fields = arguments["q.field"]
    columns = itertools.zip_longest(fields, arguments["q.op"], arguments["q.value"], fillvalue="")
    return [(field, operator or "eq", value) for field, operator, value in itertools.islice(columns, len(fields))]


def _query_body(request: HTTPRequest) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as error:
        raise parser.InvalidQuery("Request is not in valid JSON format") from error
    if not isinstance(body, dict):
        raise parser.InvalidQuery(f"{type(body).__name__!r} object has no attribute 'keys'", status=500)
    unknown = sorted(body.keys() - {"filter", "orderby", "limit"})
    if unknown:
        raise parser.InvalidQuery(f"Unknown attribute for argument body: {', '.join(unknown)}")
    return body


def _number(value: object) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError as error:
        text = f"Invalid input for field/attribute limit. Value: '{value}'. unable to convert to int"
        raise parser.InvalidQuery(text) from error


def _list(samples: Iterable[str]) -> HTTPResponse:
    return HTTPResponse(200, f"[{', '.join(samples)}]".encode())


def _meter(series: Series) -> dict[str, Any]:
    attributes = {
        key: series.field_value(key) for key in ("type", "unit", "resource_id", "project_id", "user_id", "source")
    }
    identity = f"{attributes['resource_id']}+{series.meter.name}".encode()
    return {"name": series.meter.name, **attributes, "meter_id": base64.b64encode(identity).decode()}


def _unique_meters(found: Iterable[Series]) -> Iterator[dict[str, Any]]:
    """One for each name, which then tells of no resource."""
    seen: set[str] = set()
    for series in found:
        if series.meter.name not in seen:
            seen.add(series.meter.name)
            nobody = dict.fromkeys(("resource_id", "project_id", "user_id", "source"))
            yield {**_meter(series), **nobody}
