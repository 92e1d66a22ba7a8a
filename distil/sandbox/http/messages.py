# SPDX-License-Identifier: Apache-2.0
"""Requests, replies and the routes between them."""

import dataclasses
import json
import re
import urllib.parse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

_Header = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class HTTPRequest:
    """A request to one service.

    :param path: below the service's prefix, still quoted.
    :param headers: any case finds them.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> list[tuple[str, str]]:
        return urllib.parse.parse_qsl(self.query_string, keep_blank_values=True)

    def argument(self, name: str) -> str | None:
        """The last value of a query argument."""
        return dict(self.query).get(name)

    def json(self) -> Any:
        """:raises ValueError: the body is no JSON."""
        return json.loads(self.body)

    def text(self) -> str:
        """All that a request names: path, query and body."""
        target = urllib.parse.unquote_plus(f"{self.path}?{self.query_string}")
        return f"{target}\n{self.body.decode(errors='replace')}"


@dataclasses.dataclass(frozen=True)
class HTTPResponse:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[_Header, ...] = ()


class HTTPError(Exception):
    """A request that cannot be answered as it wishes.

    :param reply: the answer instead.
    """

    def __init__(self, response: HTTPResponse) -> None:
        super().__init__(response.status, response.body)
        self.response = response


def json_response(document: Any, status: int = 200, headers: Iterable[_Header] = ()) -> HTTPResponse:
    return HTTPResponse(status, json.dumps(document).encode(), headers=tuple(headers))


_RouteHandler = Callable[..., HTTPResponse]


class Route:
    """What answers one kind of request.

    :param template: path with ``{name}`` for each segment that is handed to the handler, unquoted.
    :param handler: called with the request and the segments.
    :param public: no token is asked for.
    """

    def __init__(self, method: str, template: str, handler: _RouteHandler, public: bool = False) -> None:
        self.method = method
        self.template = template
        self.handler = handler
        self.public = public
        self._pattern = re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(template)) + "/?")

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The path's segments for the handler; None where the route is another."""
        found = self._pattern.fullmatch(path) if method == self.method else None
        return None if found is None else tuple(map(urllib.parse.unquote, found.groups()))
