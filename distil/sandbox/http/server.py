# SPDX-License-Identifier: Apache-2.0
"""The HTTP server: reads requests, has APIs answer them, injects faults."""

import dataclasses
import email.message
import http.server
import logging
import socket
import sys
import threading
import time
from typing import Any

from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.request_counter import RequestCounter
from distil.sandbox.http.response_fault import SERVICE_KINDS
from distil.sandbox.http.response_writer import ResponseWriter
from distil.sandbox.http.router import RouteMatch
from distil.sandbox.http.router import Router

LOG = logging.getLogger(__name__)


class SandboxServer(http.server.ThreadingHTTPServer):
    """Serves until closed; closing it also closes all open connections."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], router: Router, faults: FaultInjector, request_counter: RequestCounter
    ) -> None:
        self.router = router
        self.faults = faults
        self.request_counter = request_counter
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _RequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for connection in self._connections:
                _shut_down(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if isinstance(error, OSError):
            LOG.debug("Connection from %s failed: %s", client_address, error)
        else:
            LOG.error("Connection from %s failed", client_address, exc_info=error)

    def shutdown_request(self, request: Any) -> None:
        # Does not call shutdown() as the base class does: a connection to be reset must close without a FIN.
        self.close_request(request)


class _RequestHandler(http.server.BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        LOG.debug(format, *args)

    def _serve(self) -> None:
        target, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        writer = ResponseWriter(self.connection, without_body=self.command == "HEAD")
        match = self.server.router.match(self.command, target)
        if match is None:
            writer.send(HTTPResponse(404, b"Not Found", "text/plain"))
            return
        request = HTTPRequest(self.command, match.path, query, _Headers(self.headers), body)
        if not self._answer(writer, match, request):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _answer(self, writer: ResponseWriter, match: RouteMatch, request: HTTPRequest) -> bool:
        """Send the response, and return whether the connection stays usable."""
        api, server = match.api, self.server
        if api.controls_sandbox:
            return writer.send(_respond(match, request))
        server.request_counter.count(api.name, request.method, match.route.template if match.route else "(unknown)")
        time.sleep(server.faults.latency(api.name))
        active = server.faults.next_fault(api.name, request)
        if active is None:
            return writer.send(_respond(match, request))
        if active.fault.kind in SERVICE_KINDS:
            return writer.send(_respond(match, dataclasses.replace(request, fault=active.fault)))
        return writer.send_faulty(active, api, request, lambda: _respond(match, request))


class _Headers(dict[str, str]):
    """Headers of a request, looked up case-insensitively."""

    def __init__(self, headers: email.message.Message) -> None:
        super().__init__((name.lower(), value) for name, value in headers.items())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _respond(match: RouteMatch, request: HTTPRequest) -> HTTPResponse:
    try:
        return match.api.respond(request, match.route, match.arguments)
    except Exception as error:
        LOG.exception("%s %s failed", request.method, request.path)
        return match.api.error(500, f"The sandbox failed: {error!r}")


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        LOG.debug("Connection was already closed: %s", error)
