# SPDX-License-Identifier: Apache-2.0
"""HTTP requests, responses and the routes that map one to the other."""

import dataclasses
import json
import re
import urllib.parse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from distil.sandbox.http.response_fault import ResponseFault

_Header = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class HTTPRequest:
    """A request to one API.

    :param path: below the API's prefix, still percent-encoded.
    :param headers: looked up case-insensitively.
    :param fault: that the API shall have; None without one.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    fault: ResponseFault | None = None

    def fault_of_kind(self, kind: str) -> ResponseFault | None:
        return self.fault if self.fault is not None and self.fault.kind == kind else None

    @property
    def query(self) -> list[tuple[str, str]]:
        return urllib.parse.parse_qsl(self.query_string, keep_blank_values=True)

    def argument(self, name: str) -> str | None:
        """Return the last value of a query argument, or None without one."""
        return dict(self.query).get(name)

    def json(self) -> Any:
        """Return the decoded body.

        :raises ValueError: the body is not valid JSON.
        """
        return json.loads(self.body)

    def text(self) -> str:
        """Return path, query and body as one text in which identifiers can be searched."""
        target = urllib.parse.unquote_plus(f"{self.path}?{self.query_string}")
        return f"{target}\n{self.body.decode(errors='replace')}"


@dataclasses.dataclass(frozen=True)
class HTTPResponse:
    """A response, complete before it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[_Header, ...] = ()


class HTTPError(Exception):
    """A request failed.

    :param response: what the client receives.
    """

    def __init__(self, response: HTTPResponse) -> None:
        super().__init__(response.status, response.body)
        self.response = response


def json_response(document: Any, status: int = 200, headers: Iterable[_Header] = ()) -> HTTPResponse:
    return HTTPResponse(status, json.dumps(document).encode(), headers=tuple(headers))


class Route:
    """Maps a method and a path template to a handler.

    :param template: path; each ``{name}`` matches one segment, which the handler receives decoded.
    :param handler: called with the request and the matched segments.
    :param public: whether the route needs no token.
    """

    def __init__(
        self, method: str, template: str, handler: Callable[..., HTTPResponse], *, public: bool = False
    ) -> None:
        self.method = method
        self.template = template
        self.handler = handler
        self.public = public
        self._pattern = re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(template)) + "/?")

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """Return the path's decoded segments, or None if the route does not match."""
        match = self._pattern.fullmatch(path) if method == self.method else None
        return None if match is None else tuple(map(urllib.parse.unquote, match.groups()))
