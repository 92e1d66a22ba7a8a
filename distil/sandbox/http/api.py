# SPDX-License-Identifier: Apache-2.0
"""Base class of the sandbox's APIs: authentication, dispatch to routes, errors."""

import abc
import dataclasses
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.messages import HTTPError
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

UNAUTHORIZED_MESSAGE = "The request you have made requires authentication."


class Api(abc.ABC):
    """One API of the cloud.

    :cvar name: service type by which faults, latency and request counts refer to the API.
    :cvar prefix: first segment of its paths.
    :cvar request_id: name and first letters of the header by which a service numbers its responses.
    :cvar controls_sandbox: whether faults, latency and request counts leave the API out.
    :param url: base URL without a trailing slash.
    """

    name: ClassVar[str]
    prefix: ClassVar[str]
    request_id: ClassVar[tuple[str, str]] = ("X-Openstack-Request-Id", "req-")
    controls_sandbox: ClassVar[bool] = False

    def __init__(self, url: str, tokens: Tokens) -> None:
        self.url = url
        self.tokens = tokens

    @abc.abstractmethod
    def routes(self) -> Sequence[Route]:
        """Return all routes, in the order in which they are tried."""

    @abc.abstractmethod
    def error(self, status: int, message: str) -> HTTPResponse:
        """Return an error in this API's format."""

    def unauthorized(self) -> HTTPResponse:
        """Return what keystonemiddleware answers, which protects most services."""
        body = {"error": {"message": UNAUTHORIZED_MESSAGE, "code": 401, "title": "Unauthorized"}}
        return json_response(body, 401, [("WWW-Authenticate", f'Keystone uri="{self.url}"')])

    def injected_error(self, status: int) -> HTTPResponse:
        """Return the error of an injected fault."""
        error = self.unauthorized() if status == HTTPStatus.UNAUTHORIZED else self.error(status, "Injected fault")
        return self._numbered(error)

    def respond(self, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
        """Authenticate a request, and have its route handle it.

        :param route: None if no route matches.
        """
        return self._numbered(self._respond(request, route, arguments))

    def _respond(self, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
        if route is not None and route.public:
            return self._handle(request, route, arguments)
        if self.tokens.find(request.headers.get("X-Auth-Token")) is None:
            return self.unauthorized()
        if route is None:
            return self.error(404, "Not Found")
        return self._handle(request, route, arguments)

    def roles(self, request: HTTPRequest) -> frozenset[str]:
        """Return the roles of the user; none without a token."""
        if request.fault_of_kind("unprivileged"):
            return frozenset(("reader",))
        token = self.tokens.find(request.headers.get("X-Auth-Token"))
        return frozenset() if token is None else frozenset(token.roles)

    def not_found(self, message: str) -> HTTPError:
        return HTTPError(self.error(404, message))

    def _numbered(self, response: HTTPResponse) -> HTTPResponse:
        name, prefix = self.request_id
        return dataclasses.replace(response, headers=(*response.headers, (name, f"{prefix}{uuid.uuid4()}")))

    def _handle(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return route.handler(request, *arguments)
        except HTTPError as error:
            return error.response
