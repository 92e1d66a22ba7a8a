# SPDX-License-Identifier: Apache-2.0
"""The part of Gnocchi's v1 API that reads: resources with their history, metrics, aggregates."""

import dataclasses
import datetime
import html
import itertools
import json
import urllib.parse
from collections.abc import Mapping
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from distil.sandbox.apis.gnocchi_aggregates import AggregatesQuery
from distil.sandbox.apis.gnocchi_aggregates import GnocchiAggregates
from distil.sandbox.apis.gnocchi_metrics import created_by
from distil.sandbox.apis.gnocchi_metrics import describe_metric
from distil.sandbox.apis.gnocchi_metrics import matching_metrics
from distil.sandbox.apis.gnocchi_requests import GnocchiError
from distil.sandbox.apis.gnocchi_requests import parse_body
from distil.sandbox.apis.gnocchi_requests import parse_boolean
from distil.sandbox.apis.gnocchi_requests import parse_limit
from distil.sandbox.data.gnocchi_measures import Unprocessed
from distil.sandbox.data.gnocchi_search import DEFAULT_SORTS
from distil.sandbox.data.gnocchi_search import InvalidPagination
from distil.sandbox.data.gnocchi_search import Page
from distil.sandbox.data.gnocchi_search import ResourceSearch
from distil.sandbox.data.gnocchi_store import GnocchiMetric
from distil.sandbox.data.gnocchi_store import GnocchiStore
from distil.sandbox.data.gnocchi_store import Row
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response
from distil.sandbox.query.attribute_filter import InvalidFilter

_METHODS = ("mean", "sum", "last", "max", "min", "std", "median", "first", "count")
_CONTROLLERS = ("aggregates", "archive_policy", "capabilities", "metric", "resource_type", "search", "status")
_ADMIN = "admin"
_METRIC_SORT = ["id:asc"]


class GnocchiApi(Api):
    """Serves resources, metrics and aggregates of all projects.

    :param project_id: of the users.
    :param max_limit: rows on any page; a list truncated by this limit is not marked.
    """

    name = "metric"
    prefix = "metric"

    def __init__(self, url: str, tokens: Tokens, store: GnocchiStore, project_id: str, max_limit: int) -> None:
        super().__init__(url, tokens)
        self._store = store
        self._project_id = project_id
        self._search = ResourceSearch(store)
        self._aggregates = GnocchiAggregates(store, self._search)
        self._max_limit = max_limit

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/v1/search/resource/{type}", self._search_resources),
            Route("POST", "/v1/aggregates", self._fetch_aggregates),
            Route("GET", "/v1/metric", self._list_metrics),
            Route("GET", "/v1/metric/{id}", self._get_metric),
            Route("GET", "/v1/archive_policy", self._list_policies),
            Route("GET", "/v1/archive_policy/{name}", self._get_policy),
            Route("GET", "/v1/resource_type", self._list_types),
            Route("GET", "/v1/resource_type/{name}", self._get_type),
            Route("GET", "/v1/capabilities", lambda _: json_response({"aggregation_methods": list(_METHODS)})),
            Route("GET", "/v1/status", self._status),
            Route("GET", "/v1", self._index),
            Route("GET", "/", self._versions, public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        return _error(status, message)

    def respond(self, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
        response = super().respond(request, route, arguments)
        # The middleware that validates tokens answers JSON to all.
        is_own_error = response.status >= HTTPStatus.BAD_REQUEST and response.status != HTTPStatus.UNAUTHORIZED
        if is_own_error and "application/json" not in (request.headers.get("Accept") or ""):
            return _as_html(response)
        return response

    def _handle(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return super()._handle(request, route, arguments)
        except GnocchiError as error:
            return _error(error.status, error.description)
        except InvalidFilter as error:
            reason = {"cause": "Invalid input", "reason": str(error), "detail": []}
            return _error(error.status, reason if error.invalid_input else str(error))
        except InvalidPagination as error:
            return _error(400, str(error))

    def _search_resources(self, request: HTTPRequest, resource_type: str) -> HTTPResponse:
        if resource_type not in self._store.types:
            raise GnocchiError(404, f"Resource type {resource_type} does not exist")
        body = parse_body(request) if request.body else {}
        history = parse_boolean(request, "history", "false")
        page = Page(
            parse_limit(request, self._max_limit),
            _arguments(request, "sort") or DEFAULT_SORTS,
            request.argument("marker"),
        )
        rows = self._search.find(resource_type, self._visible(request, body), page, history=history)
        headers = []
        if len(rows) == page.limit:
            marker = f"{rows[-1]['id']}@{rows[-1]['revision']}" if history else rows[-1]["id"]
            headers.append(self._next_link(request, body, marker))
        attributes = _arguments(request, "attrs")
        return _json_rows([_document(row, attributes) for row in rows], headers)

    def _fetch_aggregates(self, request: HTTPRequest) -> HTTPResponse:
        query = AggregatesQuery.parse(request, parse_body(request))
        if query.resource_type is None and not self._sees_everything(request):
            raise GnocchiError(403, "")
        if query.resource_type is not None and query.resource_type not in self._store.types:
            raise GnocchiError(400, {"cause": "Resource type does not exist", "detail": query.resource_type})
        visible = dataclasses.replace(query, search=self._visible(request, query.search))
        try:
            return json_response(self._aggregates.fetch(visible, _unprocessed(request)))
        except InvalidFilter as error:
            if not error.invalid_input:
                raise
            # Gnocchi tries to parse it as a text, and fails.
            return HTTPResponse(500, b"A server error occurred.", "text/plain")

    def _list_metrics(self, request: HTTPRequest) -> HTTPResponse:
        limit = parse_limit(request, self._max_limit)
        if _arguments(request, "sort") not in ([], _METRIC_SORT):
            raise GnocchiError(400, f"The sandbox sorts metrics by {_METRIC_SORT[0]} only")
        marker = request.argument("marker")
        if marker is not None and self._find_metric(marker) is None:
            raise InvalidPagination(f"Invalid marker: `{marker}'")
        is_admin = _ADMIN in self.roles(request)
        metrics = matching_metrics(self._store, dict(request.query)) if is_admin else ()
        rows = list(itertools.islice(metrics, limit))
        return _json_rows(rows, [self._next_link(request, {}, rows[-1]["id"])] if len(rows) == limit else [])

    def _get_metric(self, request: HTTPRequest, identifier: str) -> HTTPResponse:
        metric = self._find_metric(identifier)
        if metric is None:
            raise GnocchiError(404, f"Metric {identifier} does not exist")
        if not self._sees_everything(request):
            raise GnocchiError(403, "")
        (resource,) = self._search.find("generic", {"=": {"id": metric.resource.id}}, Page(1), history=False)
        return _json_rows({**describe_metric(metric), "resource": _document(resource, [])})

    def _sees_everything(self, request: HTTPRequest) -> bool:
        return bool(self.roles(request) & {_ADMIN, "service"})

    def _visible(self, request: HTTPRequest, tree: Any) -> Any:
        """Return the filter for what the user may see: other roles see their own project only."""
        if self._sees_everything(request):
            return tree
        return {"and": [tree, {"=": {"project_id": self._project_id}}]}

    def _find_metric(self, identifier: str) -> GnocchiMetric | None:
        metric = self._store.find_metric(identifier)
        return metric if metric is not None and metric.resource.revisions() else None

    def _list_policies(self, _: HTTPRequest) -> HTTPResponse:
        return json_response([policy.as_json() for policy in self._store.policies.values()])

    def _get_policy(self, _: HTTPRequest, name: str) -> HTTPResponse:
        if name not in self._store.policies:
            raise GnocchiError(404, f"Archive policy {name} does not exist")
        return json_response(self._store.policies[name].as_json())

    def _list_types(self, _: HTTPRequest) -> HTTPResponse:
        return json_response([self._describe_type(name) for name in self._store.types])

    def _get_type(self, _: HTTPRequest, name: str) -> HTTPResponse:
        if name not in self._store.types:
            raise GnocchiError(404, f"Resource type {name} does not exist")
        return json_response(self._describe_type(name))

    def _describe_type(self, name: str) -> dict[str, Any]:
        return {"name": name, "attributes": dict(self._store.types[name]), "state": "active"}

    def _status(self, request: HTTPRequest) -> HTTPResponse:
        if _ADMIN not in self.roles(request):
            raise GnocchiError(403, "")
        unprocessed = _unprocessed(request)
        metrics = self._store.metrics_after(None, "") if unprocessed else ()
        waiting = [metric.id for metric in metrics if unprocessed and unprocessed.of_resource(metric.resource)]
        # Each has one bundle of measures.
        storage: dict[str, Any] = {"summary": {"metrics": len(waiting), "measures": len(waiting)}}
        if parse_boolean(request, "details", "true"):
            storage["measures_to_process"] = dict.fromkeys(waiting, 1)
        metricd = {"processors": ["sandbox.0.0"], "statistics": {"sandbox.0.0": {}}}
        return json_response({"storage": storage, "metricd": metricd})

    def _index(self, _: HTTPRequest) -> HTTPResponse:
        links = [{"rel": name, "href": f"{self.url}/v1/{name}"} for name in _CONTROLLERS]
        return json_response({"version": "1.0", "links": [{"rel": "self", "href": f"{self.url}/v1"}, *links]})

    def _versions(self, _: HTTPRequest) -> HTTPResponse:
        links = [{"rel": "self", "href": f"{self.url}/v1/"}]
        version = {"status": "CURRENT", "links": links, "id": "v1.0", "updated": "2015-03-19"}
        return json_response({"build": "4.7.1", "versions": [version]})

    def _next_link(self, request: HTTPRequest, body: Mapping[str, Any], marker: str) -> tuple[str, str]:
        """Return the header for the next page, in whose query Gnocchi puts the filter, too."""
        arguments = {**body, **{name: _arguments(request, name) for name, _ in request.query}, "marker": marker}
        query = urllib.parse.urlencode(sorted(arguments.items()), doseq=True)
        return "Link", f'<{self.url}{request.path}?{query}>; rel="next"'


def _unprocessed(request: HTTPRequest) -> Unprocessed | None:
    """Return what an injected fault keeps from being processed."""
    fault = request.fault_of_kind("unprocessed")
    if fault is None:
        return None
    return Unprocessed(None if fault.seconds is None else int(fault.seconds * 1_000_000), fault.project_id)


def _arguments(request: HTTPRequest, name: str) -> list[str]:
    return [value for key, value in request.query if key == name]


def _document(row: Row, attributes: Sequence[str]) -> dict[str, Any]:
    """Return a row as the API does.

    :param attributes: names of those that are requested, all if empty.
    """
    document = {**row, **created_by(row["creator"])}
    del document["revision"]
    return {key: value for key, value in document.items() if not attributes or key in attributes}


def _json_rows(document: Any, headers: Sequence[tuple[str, str]] = ()) -> HTTPResponse:
    """Return a response with times in it."""
    body = json.dumps(document, default=datetime.datetime.isoformat).encode()
    return HTTPResponse(200, body, headers=tuple(headers))


def _error(status: int, description: Any) -> HTTPResponse:
    return json_response({"code": status, "title": HTTPStatus(status).phrase, "description": description}, status)


def _as_html(error: HTTPResponse) -> HTTPResponse:
    document = json.loads(error.body)
    title = f"{error.status} {document['title']}"
    text = html.escape(str(document["description"]))
    head = f"<html>\n <head>\n  <title>{title}</title>\n </head>\n"
    page = f"{head} <body>\n  <h1>{title}</h1>\n  {text}<br /><br />\n\n\n\n </body>\n</html>"
    return dataclasses.replace(error, body=page.encode(), content_type="text/html; charset=UTF-8")
