# SPDX-License-Identifier: Apache-2.0
"""Aetos: Prometheus behind Keystone, with few paths and arguments."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from http import HTTPStatus

from distil.sandbox.apis.prometheus import describe_targets
from distil.sandbox.apis.prometheus import outage_of
from distil.sandbox.apis.prometheus import query_success
from distil.sandbox.apis.prometheus import runtime_info
from distil.sandbox.apis.prometheus import success
from distil.sandbox.apis.prometheus_queries import PrometheusError
from distil.sandbox.apis.prometheus_queries import PrometheusQueries
from distil.sandbox.apis.prometheus_queries import is_constant
from distil.sandbox.apis.prometheus_queries import parse_selector
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPError
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response
from distil.sandbox.query.selectors import NAME_LABEL
from distil.sandbox.query.selectors import Matcher

# What uwsgi reads of a request's head, in bytes; it loses the arguments of a longer URL.
_MAX_URL_BYTES = 4096


_PRIVILEGED = frozenset(("admin", "service"))
_ORDINARY = frozenset(("manager", "member", "reader"))

# The option [prometheus] project_label_name.
_PROJECT_LABEL = "project"


class AetosApi(Api):
    """Serves all series to administrators and services, and those of their own project to others.

    :param project_id: of the users.
    """

    name = "metric-storage"
    prefix = "metric-storage"

    def __init__(self, url: str, tokens: Tokens, queries: PrometheusQueries, project_id: str) -> None:
        super().__init__(url, tokens)
        self._project_id = project_id
        self._queries = queries

    def routes(self) -> Sequence[Route]:
        served: dict[str, Callable[..., HTTPResponse]] = {
            "/api/v1/query": self._query,
            "/api/v1/series": self._series,
            "/api/v1/labels": self._labels,
            "/api/v1/label/{name}/values": self._label_values,
            "/api/v1/targets": self._targets,
            "/api/v1/status/{name}": self._status,
        }
        return (
            *(Route("GET", path, handler) for path, handler in served.items()),
            *(Route("POST", path, self._refuse_method) for path in served),
            Route("GET", "/", self._versions, public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        code = "Client" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Server"
        return json_response({"error_message": {"faultcode": code, "faultstring": message, "debuginfo": None}}, status)

    def _respond(self, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
        response = super()._respond(request, route, arguments)
        is_unknown = route is None and response.status == HTTPStatus.NOT_FOUND
        return _pecan_error(HTTPStatus.NOT_FOUND) if is_unknown else response

    def _handle(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return super()._handle(request, route, arguments)
        except PrometheusError as error:
            return self.error(error.status, f"[{error.status}] {error.message}")

    def _query(self, request: HTTPRequest) -> HTTPResponse:
        arguments = self._arguments(request, "query", "time", "timeout")
        self._require(arguments, "query")
        unrestricted = self._sees_everything(request) or is_constant(arguments["query"])
        own = None if unrestricted else self._own_project(arguments["query"])
        return query_success(request, self._queries.query(arguments, outage_of(request), own))

    def _series(self, request: HTTPRequest) -> HTTPResponse:
        self._require_privilege(request)
        return success(self._queries.list_series(_matches(request)))

    def _labels(self, request: HTTPRequest) -> HTTPResponse:
        self._require_privilege(request)
        return success(self._queries.label_names(_matches(request)))

    def _label_values(self, request: HTTPRequest, name: str) -> HTTPResponse:
        self._require_privilege(request)
        return success(self._queries.label_values(name, _matches(request)))

    def _targets(self, request: HTTPRequest) -> HTTPResponse:
        self._require_privilege(request)
        self._require(self._arguments(request, "state"), "state")
        return success(describe_targets(self._queries))

    def _status(self, request: HTTPRequest, name: str) -> HTTPResponse:
        self._require_privilege(request)
        if name != "runtimeinfo":
            raise self.not_found("page not found")
        return success(runtime_info(self._queries))

    def _sees_everything(self, request: HTTPRequest) -> bool:
        """Whether the user sees all projects, not only its own one.

        :raises HTTPError: the user sees nothing.
        """
        roles = self.roles(request)
        if not roles & {*_PRIVILEGED, *_ORDINARY}:
            raise self._forbidden()
        return bool(roles & _PRIVILEGED)

    def _require_privilege(self, request: HTTPRequest) -> None:
        if not self._sees_everything(request):
            raise self._forbidden()

    def _forbidden(self) -> HTTPError:
        return HTTPError(self.error(403, "RBAC Authorization Failed"))

    def _own_project(self, query: str) -> Matcher:
        """Return what Aetos adds to the metric of a query, which it must know."""
        selector = parse_selector("query", query)
        for name in selector.possible_values(NAME_LABEL) or ():
            if not self._queries.has_metric(name):
                message = f'invalid parameter "query": 1:45: parse error: unexpected identifier "{name}"'
                raise PrometheusError(400, "bad_data", message)
        return Matcher(_PROJECT_LABEL, "=", self._project_id)

    def _versions(self, _: HTTPRequest) -> HTTPResponse:
        links = [{"href": f"{self.url}/api/v1", "rel": "self"}]
        version = {"id": "v1", "links": links, "status": "stable", "updated": "2025-04-15T00:00:00Z"}
        return json_response({"versions": {"values": [version]}})

    def _refuse_method(self, _: HTTPRequest, *__: str) -> HTTPResponse:
        return _pecan_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def _arguments(self, request: HTTPRequest, *known: str) -> dict[str, str]:
        """Return the arguments of a request; an unknown one is an error."""
        lost = len(f"{request.path}?{request.query_string}") > _MAX_URL_BYTES
        arguments = {} if lost else dict(request.query)
        for name in arguments:
            if name not in known:
                raise HTTPError(self.error(400, f'Unknown argument: "{name}"'))
        return arguments

    def _require(self, arguments: Collection[str], name: str) -> None:
        if name not in arguments:
            raise HTTPError(self.error(400, f'Missing argument: "{name}"'))


def _matches(request: HTTPRequest) -> list[tuple[str, str]]:
    """Return the arguments that Aetos passes on: not start and end."""
    return [(name, value) for name, value in request.query if name == "match[]"]


def _pecan_error(status: HTTPStatus) -> HTTPResponse:
    """Return an error of the framework, before Aetos sees the request."""
    return json_response(
        {"error_message": {"code": status.value, "title": status.phrase, "description": ""}}, status.value
    )
