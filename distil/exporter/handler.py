# SPDX-License-Identifier: Apache-2.0
"""Handles one connection to the exporter: one request, one response."""

import email.message
import http.server
import io
import socket
import socketserver
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from oslo_log import log

from distil.exporter.addresses import format_address
from distil.exporter.connections import Connections
from distil.exporter.pages import Page
from distil.exporter.pages import Response

LOG = log.getLogger(__name__)

_METHODS = ("GET", "HEAD", "OPTIONS")
_ALLOW = {"Allow": ", ".join(_METHODS)}
_REQUEST_LINE_WORDS = 3

# Request line and headers together.
_MAX_HEAD_BYTES = 16384
# A request body is read up to this length, and ignored.
_MAX_BODY_BYTES = 65536
_READ_BYTES = 4096
_LINGER_SECONDS = 2.0

_TEXT = "text/plain; charset=utf-8"


class Handler(http.server.BaseHTTPRequestHandler):
    """Responds to one request; the constructor returns when the connection can be closed.

    :param pages: pages by path.
    """

    protocol_version = "HTTP/1.1"
    # Used for the response to a malformed request. The default of the base class, HTTP/0.9, has no status line.
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True

    def __init__(
        self,
        request: socket.socket,
        client_address: Any,
        server: socketserver.BaseServer,
        *,
        pages: Mapping[str, Page],
        connections: Connections,
    ) -> None:
        self._pages = pages
        self._connections = connections
        super().__init__(request, client_address, server)

    def handle(self) -> None:
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()
        head = self._read_head()
        if not head:
            return  # the client has disconnected
        self._connections.on_request(self.connection)
        self.requestline = self.command = ""
        self.headers = email.message.Message()
        self.request_version = self.default_request_version
        if len(head) > _MAX_HEAD_BYTES:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            self.rfile = io.BytesIO(head)
            self.raw_requestline = self.rfile.readline()
            if self.parse_request():
                self._respond()
        self._linger()

    def _read_head(self) -> bytes:
        """Reads the request line and the headers, up to one byte more than is allowed.

        :returns: nothing if the client disconnects before the empty line.
        """
        head = b""
        while len(head) <= _MAX_HEAD_BYTES:
            line = self.rfile.readline(_MAX_HEAD_BYTES + 1 - len(head))
            head += line
            if line in (b"\r\n", b"\n"):
                return head
            if not line:
                return b""
        return head

    def _respond(self) -> None:
        words = self.requestline.split()
        if len(words) != _REQUEST_LINE_WORDS:
            self.send_error(HTTPStatus.BAD_REQUEST, explain="HTTP/0.9 is not supported.")
        elif self.request_version == "HTTP/1.1" and "Host" not in self.headers:
            self.send_error(HTTPStatus.BAD_REQUEST, explain="HTTP/1.1 requires a Host header.")
        else:
            self._send_page(_path(words[1]))

    def _send_page(self, path: str) -> None:
        page = self._pages.get(path)
        if self.command == "OPTIONS" and (page or path == "*"):
            # HAProxy's check, unless it is configured otherwise: the process responds. /health tells whether it works.
            self._send(Response(_TEXT, b"", headers=_ALLOW))
        elif page is None:
            paths = ", ".join(sorted(self._pages))
            self.send_error(HTTPStatus.NOT_FOUND, explain=f"Not found. Available paths: {paths}")
        elif self.command not in _METHODS:
            self._send(Response(_TEXT, b"", HTTPStatus.METHOD_NOT_ALLOWED, _ALLOW))
        else:
            self._send(page.render(self.headers.get("Accept", "")))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        length = str(len(response.body))
        headers = {"Content-Type": response.content_type, "Content-Length": length, "Connection": "close"}
        for name, value in (headers | dict(response.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Sends an error in plain text, without ``message``, in which the base class echoes the request."""
        status = HTTPStatus(code)
        self._send(Response(_TEXT, f"{explain or status.description}\n".encode(), status))

    def _linger(self) -> None:
        """Reads the request body, because closing the connection earlier would reset it and lose the response."""
        if (
            self.command in _METHODS
            and "Content-Length" not in self.headers
            and "Transfer-Encoding" not in self.headers
        ):
            return
        socket.socket.shutdown(self.connection, socket.SHUT_WR)
        self.connection.settimeout(_LINGER_SECONDS)
        remaining = _MAX_BODY_BYTES
        while remaining > 0 and (count := len(self.connection.recv(min(remaining, _READ_BYTES)))):
            remaining -= count

    def version_string(self) -> str:
        return "distil-collector"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name in the base class
        LOG.debug("%s: %s", format_address(*self.client_address[:2]), ascii(format % args))


def _path(target: str) -> str:
    """The path of a request target, without its query. A client of a proxy sends an absolute URL."""
    path, _, _ = target.partition("?")
    if not path.lower().startswith(("http://", "https://")):
        return path
    return "/" + path.partition("://")[2].partition("/")[2]
