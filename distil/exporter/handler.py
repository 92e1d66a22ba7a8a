# SPDX-License-Identifier: Apache-2.0
"""One connection to the exporter: one request, one answer."""

import email.message
import http.server
import io
import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from oslo_log import log

from distil.exporter.connections import Connections
from distil.exporter.resource import Page
from distil.exporter.resource import Response

LOG = log.getLogger(__name__)

METHODS = ("GET", "HEAD")

# Bytes of a request line and headers together.
MAX_HEAD_BYTES = 16384
# Bytes of a body, which nobody asked for.
MAX_BODY_BYTES = 65536
LINGER_SECONDS = 2.0
_WORDS_OF_A_REQUEST = 3
_TEXT = "text/plain; charset=utf-8"


class Owner(Protocol):
    """What a handler needs from its server."""

    connections: Connections
    pages: Mapping[str, Page]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # What a request that cannot be read is answered with: HTTP/0.9, the base class's choice, has no status line.
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True
    server: Owner  # type: ignore[assignment]

    def handle(self) -> None:
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()
        head = self._head()
        if not head:
            return  # the client left
        self.server.connections.asked(self.connection)
        self.requestline = self.command = ""
        self.headers = email.message.Message()
        self.request_version = self.default_request_version
        if len(head) > MAX_HEAD_BYTES:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            self.rfile = io.BytesIO(head)
            self.raw_requestline = self.rfile.readline()
            if self.parse_request():
                self._answer()
        self._linger()

    def _head(self) -> bytes:
        """The request up to its empty line, or a bit more than is allowed; nothing where the client left before."""
        head = b""
        while len(head) <= MAX_HEAD_BYTES:
            line = self.rfile.readline(MAX_HEAD_BYTES + 1 - len(head))
            head += line
            if line in (b"\r\n", b"\n"):
                return head
            if not line:
                return b""
        return head

    def _answer(self) -> None:
        words = self.requestline.split()
        if len(words) != _WORDS_OF_A_REQUEST:
            self.send_error(HTTPStatus.BAD_REQUEST, explain="HTTP/0.9 is not spoken here.")
        elif self.request_version == "HTTP/1.1" and "Host" not in self.headers:
            self.send_error(HTTPStatus.BAD_REQUEST, explain="HTTP/1.1 demands a Host header.")
        else:
            self._show(self.server.pages.get(words[1].partition("?")[0]))

    def _show(self, resource: Page | None) -> None:
        if resource is None:
            there = ", ".join(sorted(self.server.pages))
            self.send_error(HTTPStatus.NOT_FOUND, explain=f"What there is: {there}")
        elif self.command not in METHODS:
            allow = {"Allow": ", ".join(METHODS)}
            self._send(Response(_TEXT, b"", HTTPStatus.METHOD_NOT_ALLOWED, allow))
        else:
            self._send(resource.render(self.headers.get("Accept", "")))

    def _send(self, answer: Response) -> None:
        self.send_response(answer.status)
        length = str(len(answer.body))
        fields = {"Content-Type": answer.content_type, "Content-Length": length, "Connection": "close"}
        for name, value in (fields | dict(answer.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """In plain text, without ``message``, in which the base class gives back what was sent."""
        status = HTTPStatus(code)
        self._send(Response(_TEXT, f"{explain or status.description}\n".encode(), status))

    def _linger(self) -> None:
        """Let the client read the answer before the connection goes: closing it over unread bytes would be a reset."""
        if self.command in METHODS and "Content-Length" not in self.headers and "Transfer-Encoding" not in self.headers:
            return
        socket.socket.shutdown(self.connection, socket.SHUT_WR)
        self.connection.settimeout(LINGER_SECONDS)
        left = MAX_BODY_BYTES
        while left > 0 and (read := len(self.connection.recv(min(left, 4096)))):
            left -= read

    def version_string(self) -> str:
        return "distil-collector"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        LOG.debug("%s: %s", self.address_string(), ascii(format % args))
