# SPDX-License-Identifier: Apache-2.0
"""The HTTP server: from a connection to a service's route and back."""

import email.message
import http.server
import logging
import socket
import sys
import threading
import time
from typing import Any

from distil.sandbox.apis.control import ControlApi
from distil.sandbox.data import ids
from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.request_counter import RequestCounter
from distil.sandbox.http.response_writer import ResponseWriter

LOG = logging.getLogger(__name__)


class Router:
    """What a request is for.

    :param seed: makes the ids that requests may name.
    """

    def __init__(self, seed: int, faults: FaultInjector, request_counter: RequestCounter) -> None:
        self._seed = seed
        self.faults = faults
        self.request_counter = request_counter
        self._services: dict[str, tuple[Api, tuple[Route, ...]]] = {}

    def mount(self, api: Api) -> None:
        """Answer requests for a service."""
        self._services[api.prefix] = (api, tuple(api.routes()))

    def match(self, method: str, target: str) -> tuple[Api, str, Route | None, tuple[str, ...]] | None:
        """The service, the path within it, and the route with its arguments; None where there is no such service."""
        prefix, _, rest = target.removeprefix("/").partition("/")
        if prefix not in self._services:
            return None
        service, routes = self._services[prefix]
        path = f"/{rest}"
        for route in routes:
            arguments = route.match(method, path)
            if arguments is not None:
                return service, path, route, arguments
        return service, path, None, ()

    def referenced_projects(self, request: HTTPRequest) -> frozenset[str]:
        """The projects that a request names, or whose resources it names."""
        return ids.referenced_projects(self._seed, request.text())


class SandboxServer(http.server.ThreadingHTTPServer):
    """Serves until it is closed; then no connection stays open."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], router: Router) -> None:
        self.router = router
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
                _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if isinstance(error, OSError):
            LOG.debug("the connection from %s broke: %s", client_address, error)
        else:
            LOG.error("the sandbox failed", exc_info=error)

    def shutdown_request(self, request: Any) -> None:
        # Without the parent's shutdown(): a connection that is to be reset must go from open to closed.
        self.close_request(request)


class _RequestHandler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        LOG.debug(format, *args)

    def _serve(self) -> None:
        target, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        delivery = ResponseWriter(self.connection, without_body=self.command == "HEAD")
        found = self.server.router.match(self.command, target)
        if found is None:
            delivery.send(HTTPResponse(404, b"there is no such service", "text/plain"))
            return
        service, path, route, arguments = found
        request = HTTPRequest(self.command, path, query, _Headers(self.headers), body)
        if not self._answer(delivery, service, request, route, arguments):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _answer(
        self,
        delivery: ResponseWriter,
        service: Api,
        request: HTTPRequest,
        route: Route | None,
        arguments: tuple[str, ...],
    ) -> bool:
        def reply() -> HTTPResponse:
            return _reply(service, request, route, arguments)

        if isinstance(service, ControlApi):
            return delivery.send(reply())
        board = self.server.router
        board.request_counter.count(service.name, request.method, route.template if route else "(unknown)")
        time.sleep(board.faults.latency(service.name))
        active = board.faults.next_fault(service.name, request.path, lambda: board.referenced_projects(request))
        return delivery.send(reply()) if active is None else delivery.send_faulty(active, reply, service.injected_error)


class _Headers(dict[str, str]):
    """Headers of a request, found in any case."""

    def __init__(self, headers: email.message.Message) -> None:
        super().__init__((name.lower(), value) for name, value in headers.items())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _reply(service: Api, request: HTTPRequest, route: Route | None, arguments: tuple[str, ...]) -> HTTPResponse:
    try:
        return service.respond(request, route, arguments)
    except Exception as error:
        LOG.exception("the sandbox failed at %s %s", request.method, request.path)
        return service.error(500, f"the sandbox failed: {error!r}")


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        LOG.debug("a connection was closed already: %s", error)
