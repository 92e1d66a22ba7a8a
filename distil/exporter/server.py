# SPDX-License-Identifier: Apache-2.0
"""The HTTP server of a collector process."""

import errno
import functools
import http.server
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from typing import Any

from oslo_log import log

from distil import exceptions
from distil.exporter.addresses import format_address
from distil.exporter.addresses import listen_hosts
from distil.exporter.connections import Connections
from distil.exporter.handler import Handler
from distil.exporter.pages import Page

LOG = log.getLogger(__name__)

_MAX_CONNECTIONS = 64
_REQUEST_TIMEOUT_SECONDS = 10.0
_CONNECTION_TIMEOUT_SECONDS = 60.0

# Of a host without IPv6.
_NO_SUCH_ADDRESS = frozenset((errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT))


class Exporter:
    """Serves pages in its own threads, one for each address.

    :param pages: pages by path.
    :param host: an address or a name; ``localhost`` is the loopback address of IPv4 and that of IPv6, if it has one.
    :param tls: None for plain HTTP.
    :raises ConfigurationError: the address cannot be listened on.
    """

    def __init__(self, pages: Mapping[str, Page], host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._servers: list[_Server] = []
        self.port = port
        self._scheme = "http" if tls is None else "https"
        for listen_host in listen_hosts(host):
            try:
                self._servers.append(_Server(pages, listen_host, self.port, tls))
            except OSError as error:
                if self._servers and error.errno in _NO_SUCH_ADDRESS:
                    continue
                self.close()
                address = format_address(listen_host, self.port)
                raise exceptions.ConfigurationError(
                    [f"exporter_host and exporter_port: cannot listen on {address}: {error.strerror}"]
                ) from error
            # Any free port is chosen once for all addresses.
            self.port = self._servers[-1].server_port

    def start(self) -> None:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, name="exporter", daemon=True).start()
            LOG.info("Exporter listening on %s://%s", self._scheme, format_address(server.server_name, self.port))

    def close(self) -> None:
        """Closes the listening sockets of an exporter that has not been started."""
        for server in self._servers:
            server.server_close()

    def stop(self) -> None:
        """Ends the threads and closes the listening sockets."""
        for server in self._servers:
            server.shutdown()
        self.close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, pages: Mapping[str, Page], host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._connections = Connections(_MAX_CONNECTIONS, _REQUEST_TIMEOUT_SECONDS, _CONNECTION_TIMEOUT_SECONDS)
        self._tls = tls
        super().__init__((host, port), functools.partial(Handler, pages=pages, connections=self._connections))

    def server_bind(self) -> None:
        # HTTPServer.server_bind would look up the host's name, for as long as the name service takes.
        super(http.server.HTTPServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.settimeout(_CONNECTION_TIMEOUT_SECONDS)
        if self._tls is not None:
            # The connection's own thread does the handshake: a client may never complete it.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def service_actions(self) -> None:
        """Is called by ``serve_forever`` at least twice a second."""
        self._connections.expire()

    def server_close(self) -> None:
        super().server_close()
        self._connections.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        address = format_address(*client_address[:2])
        if isinstance(error, OSError):
            LOG.debug("Connection from %s failed: %s", address, error)
        else:
            LOG.error("Request from %s failed", address, exc_info=error)
