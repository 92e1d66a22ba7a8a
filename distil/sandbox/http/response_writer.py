# SPDX-License-Identifier: Apache-2.0
"""Writes responses to a connection, with or without a fault."""

import dataclasses
import http
import itertools
import json
import socket
import struct
import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import ActiveFault
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.response_fault import ResponseFault

_CHUNKS = 20
_HTML_PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"
_KNOWN_STATUSES = frozenset(status.value for status in http.HTTPStatus)


class ResponseWriter:
    """Writes the response to one request. Each method that sends returns whether the connection stays usable.

    :param without_body: whether to omit the body, as for HEAD.
    """

    def __init__(self, connection: socket.socket, *, without_body: bool) -> None:
        self._connection = connection
        self._without_body = without_body

    def send(self, response: HTTPResponse) -> bool:
        self._connection.sendall(self._head(response) + self._body(response))
        return True

    def send_faulty(
        self, active: ActiveFault, api: Api, request: HTTPRequest, respond: Callable[[], HTTPResponse]
    ) -> bool:
        """Send a response with a fault.

        :param respond: makes the correct response; called only if the fault needs it.
        """
        fault = active.fault
        if fault.kind == "reset":
            return self._reset()
        if fault.kind == "timeout":
            active.removed.wait(fault.seconds)
            return False
        if fault.kind == "truncated":
            return self._send_half(respond())
        if fault.kind == "slow":
            return self._send_slowly(respond(), active, fault.seconds or 0)
        if fault.kind in _CHANGES:
            return self.send(_CHANGES[fault.kind](respond(), fault))
        replacements = {
            "proxy": HTTPResponse(fault.status, _HTML_PAGE, "text/html; charset=UTF-8"),
            "echo": HTTPResponse(fault.status, _quoted(request), "text/plain"),
            "html": HTTPResponse(200, _HTML_PAGE, "text/html; charset=UTF-8"),
            "empty": HTTPResponse(200),
            "not_a_list": HTTPResponse(200, fault.body.encode()),
        }
        return self.send(replacements.get(fault.kind) or api.injected_error(fault.status))

    def _head(self, response: HTTPResponse) -> bytes:
        phrase = http.HTTPStatus(response.status).phrase if response.status in _KNOWN_STATUSES else "Unknown"
        lines = [f"HTTP/1.1 {response.status} {phrase}"]
        if response.status != http.HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(response.body)}")
        lines.append(f"Content-Type: {response.content_type}")
        lines.extend(f"{name}: {value}" for name, value in response.headers)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _body(self, response: HTTPResponse) -> bytes:
        return b"" if self._without_body else response.body

    def _send_half(self, response: HTTPResponse) -> bool:
        body = self._body(response)
        self._connection.sendall(self._head(response) + body[: len(body) // 2])
        return False

    def _send_slowly(self, response: HTTPResponse, active: ActiveFault, seconds: float) -> bool:
        self._connection.sendall(self._head(response))
        body = self._body(response)
        size = len(body) // _CHUNKS + 1
        for start in range(0, len(body), size):
            active.removed.wait(seconds / _CHUNKS)
            self._connection.sendall(body[start : start + size])
        return True

    def _reset(self) -> bool:
        # Closing a socket with a linger time of 0 sends RST instead of FIN.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


def _quoted(request: HTTPRequest) -> bytes:
    """What proxies and debuggers quote: headers and body, as they are and percent-encoded."""
    token_first = sorted(request.headers.items(), key=lambda header: header[0] != "x-auth-token")
    headers = "".join(f"{name}: {value}\n" for name, value in token_first)
    quoted = f"{request.method} {request.path}\n{headers}\n{request.body.decode()}"
    return f"{quoted}\n{urllib.parse.quote(quoted)}".encode()


def _cut(response: HTTPResponse, _: ResponseFault) -> HTTPResponse:
    """The first half."""
    return dataclasses.replace(response, body=response.body[: len(response.body) // 2])


def _cap(response: HTTPResponse, fault: ResponseFault) -> HTTPResponse:
    """The response without the entries of its list after the first ``rows``; an error is unchanged."""
    try:
        document = json.loads(response.body)
    except ValueError:
        return response
    if isinstance(document, list):
        document = document[: fault.rows]
    elif response.status == http.HTTPStatus.OK:
        document = {key: _first_entries(key, value, fault.rows) for key, value in document.items()}
    return dataclasses.replace(response, body=json.dumps(document).encode())


def _first_entries(key: str, value: Any, count: int | None) -> Any:
    """The first entries of a list, or of what Gnocchi and Prometheus have instead; anything else as it is."""
    if isinstance(value, list):
        return value[:count]
    if key == "measures" and isinstance(value, dict):
        return dict(itertools.islice(value.items(), count))
    if key == "data" and isinstance(value, dict):
        return {name: _first_entries(name, entries, count) for name, entries in value.items()}
    return value


_CHANGES: Mapping[str, Callable[[HTTPResponse, ResponseFault], HTTPResponse]] = {"cut": _cut, "capped": _cap}
