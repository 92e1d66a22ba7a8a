# SPDX-License-Identifier: Apache-2.0
"""The HTTP server that shows what becomes of a collector."""

import http.server
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from typing import Any

from oslo_log import log

from distil import exceptions
from distil.exporter.connections import Connections
from distil.exporter.handler import Handler
from distil.exporter.resource import Page

LOG = log.getLogger(__name__)

MAX_CONNECTIONS = 64
REQUEST_TIMEOUT = 10.0
CONNECTION_TIMEOUT = 60.0


class Exporter:
    """Serves pages, from a thread of its own once started.

    :param pages: by path.
    :param tls: None for plain HTTP.
    :raises ConfigurationError: the address cannot be listened on.
    """

    def __init__(self, pages: Mapping[str, Page], host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        server = type("Server", (_Server,), {"address_family": _family(host)})
        try:
            self._server: _Server = server((host, port), pages, tls)
        except OSError as error:
            raise exceptions.ConfigurationError(
                [f"exporter_host and exporter_port: cannot listen on {host}:{port}: {error.strerror}"]
            ) from error
        self.port: int = self._server.server_port
        self._scheme = "http" if tls is None else "https"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="exporter", daemon=True).start()
        LOG.info("The exporter is at %s://%s:%d.", self._scheme, self._server.server_name, self.port)

    def close(self) -> None:
        """Give the port back, of an exporter that has not been started."""
        self._server.server_close()

    def stop(self) -> None:
        """End the threads and give the port back."""
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], pages: Mapping[str, Page], tls: ssl.SSLContext | None) -> None:
        self.connections = Connections(MAX_CONNECTIONS, REQUEST_TIMEOUT, CONNECTION_TIMEOUT)
        self.pages = pages
        self._tls = tls
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the name service for the host's name, however long that takes.
        super(http.server.HTTPServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.settimeout(CONNECTION_TIMEOUT)
        if self._tls is not None:
            # The handshake is for the connection's own thread: a client may never finish it.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().close_request(request)

    def service_actions(self) -> None:
        """Called at least twice a second."""
        self.connections.expire()

    def server_close(self) -> None:
        super().server_close()
        self.connections.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if isinstance(error, OSError):
            LOG.debug("The connection from %s broke: %s", client_address, error)
        else:
            LOG.error("A request from %s was not answered.", client_address, exc_info=error)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
