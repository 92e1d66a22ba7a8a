# SPDX-License-Identifier: Apache-2.0
"""What the services of the cloud have in common."""

import abc
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http import messages
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

UNAUTHORIZED_MESSAGE = "The request you have made requires authentication."


class Api(abc.ABC):
    """One service's API.

    :param url: where it is, without a slash at the end.
    """

    name: ClassVar[str]
    prefix: ClassVar[str]

    def __init__(self, url: str, tokens: Tokens) -> None:
        self.url = url
        self.tokens = tokens

    @abc.abstractmethod
    def routes(self) -> Sequence[Route]:
        """All that it answers."""

    @abc.abstractmethod
    def error(self, status: int, message: str) -> HTTPResponse:
        """An error as this service words it."""

    def unauthorized(self) -> HTTPResponse:
        """As keystonemiddleware answers, which stands in front of most services."""
        body = {"error": {"message": UNAUTHORIZED_MESSAGE, "code": 401, "title": "Unauthorized"}}
        return json_response(body, 401, [("WWW-Authenticate", f'Keystone uri="{self.url}"')])

    def injected_error(self, status: int) -> HTTPResponse:
        """The answer of a service that fails on demand."""
        return self.unauthorized() if status == HTTPStatus.UNAUTHORIZED else self.error(status, "This was ordered.")

    def respond(self, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
        if route is not None and route.public:
            return self._handled(request, route, arguments)
        if not self.tokens.is_valid(request.headers.get("X-Auth-Token")):
            return self.unauthorized()
        if route is None:
            return self.error(404, "Not Found")
        return self._handled(request, route, arguments)

    def not_found(self, message: str) -> messages.HTTPError:
        return messages.HTTPError(self.error(404, message))

    def _handled(self, request: HTTPRequest, route: Route, arguments: tuple[str, ...]) -> HTTPResponse:
        try:
            return route.handler(request, *arguments)
        except messages.HTTPError as problem:
            return problem.response
