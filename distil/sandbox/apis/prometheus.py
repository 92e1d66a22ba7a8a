# SPDX-License-Identifier: Apache-2.0
"""The part of Prometheus's HTTP API that a driver asks: instant queries, series, labels, status."""

import datetime
import urllib.parse
from collections.abc import Sequence
from typing import Any

from distil.sandbox.apis.prometheus_queries import PrometheusError
from distil.sandbox.apis.prometheus_queries import PrometheusQueries
from distil.sandbox.data.prometheus_series import TARGETS
from distil.sandbox.data.prometheus_series import ScrapeOutage
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_ERROR_TYPES = {400: "bad_data", 404: "not_found", 422: "execution", 503: "unavailable"}
_VERSIONS = {2: "2.42.0", 3: "3.5.0"}


class PrometheusApi(Api):
    """Serves all series to anyone: Prometheus does not know Keystone."""

    name = "prometheus"
    prefix = "prometheus"

    def __init__(self, url: str, tokens: Tokens, queries: PrometheusQueries) -> None:
        super().__init__(url, tokens)
        self._queries = queries

    def routes(self) -> Sequence[Route]:
        readable = {
            "/api/v1/query": self._query,
            "/api/v1/series": self._series,
            "/api/v1/labels": self._labels,
        }
        return (
            *(Route(method, path, readable[path], public=True) for path in readable for method in ("GET", "POST")),
            Route("GET", "/api/v1/label/{name}/values", self._label_values, public=True),
            Route("GET", "/api/v1/targets", lambda _: success(describe_targets(self._queries)), public=True),
            Route("GET", "/api/v1/status/runtimeinfo", lambda _: success(runtime_info(self._queries)), public=True),
            Route("GET", "/api/v1/status/buildinfo", self._build_info, public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        return _error(status, _ERROR_TYPES.get(status, "internal"), message)

    def unauthorized(self) -> HTTPResponse:
        return HTTPResponse(401, b"Unauthorized\n", "text/plain; charset=utf-8", (("Www-Authenticate", "Basic"),))

    def _respond(self, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
        if route is None:
            return HTTPResponse(404, b"404 page not found\n", "text/plain; charset=utf-8")
        return super()._respond(request, route, arguments)

    def _handle(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return super()._handle(request, route, arguments)
        except PrometheusError as error:
            return _error(error.status, error.kind, error.message)

    def _query(self, request: HTTPRequest) -> HTTPResponse:
        return query_success(request, self._queries.query(dict(_arguments(request)), outage_of(request)))

    def _series(self, request: HTTPRequest) -> HTTPResponse:
        return success(self._queries.list_series(_arguments(request)))

    def _labels(self, request: HTTPRequest) -> HTTPResponse:
        return success(self._queries.label_names(_arguments(request)))

    def _label_values(self, request: HTTPRequest, name: str) -> HTTPResponse:
        return success(self._queries.label_values(name, _arguments(request)))

    def _build_info(self, _: HTTPRequest) -> HTTPResponse:
        return success({"version": _VERSIONS[self._queries.settings.version], "revision": "", "branch": "HEAD"})


def runtime_info(queries: PrometheusQueries) -> dict[str, Any]:
    """Return the data of ``status/runtimeinfo``."""
    return {"reloadConfigSuccess": True, "corruptionCount": 0, "storageRetention": f"{queries.settings.retention}d"}


def describe_targets(queries: PrometheusQueries) -> dict[str, Any]:
    """Return the data of ``targets``."""
    now = datetime.datetime.now(datetime.UTC).isoformat()
    active = [
        {
            "labels": {"job": job, "instance": address},
            "scrapePool": job,
            "scrapeUrl": f"http://{address}/metrics",
            "lastError": "",
            "lastScrape": now,
            "health": "up",
            "scrapeInterval": f"{queries.settings.scrape_interval}s",
            "scrapeTimeout": "10s",
        }
        for job, address in TARGETS.items()
    ]
    return {"activeTargets": active, "droppedTargets": []}


def _arguments(request: HTTPRequest) -> list[tuple[str, str]]:
    """Return the arguments of URL and form; those of the form override others."""
    return [*request.query, *urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True)]


def success(data: Any) -> HTTPResponse:
    return json_response({"status": "success", "data": data})


def query_success(request: HTTPRequest, data: Any) -> HTTPResponse:
    """Return the answer to a query, with a warning if a fault of this kind is injected."""
    warnings = ["Injected fault: not all stores answered"] if request.fault_of_kind("warnings") else []
    return json_response({"status": "success", "data": data, **({"warnings": warnings} if warnings else {})})


def outage_of(request: HTTPRequest) -> ScrapeOutage | None:
    """Return the outage of the scrapes that is injected, if any."""
    fault = request.fault_of_kind("hole") or request.fault_of_kind("down")
    return None if fault is None else ScrapeOutage(fault.seconds or 0, fault.kind == "down", fault.project_id)


def _error(status: int, kind: str, message: str) -> HTTPResponse:
    return json_response({"status": "error", "errorType": kind, "error": message}, status)
