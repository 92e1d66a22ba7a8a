# SPDX-License-Identifier: Apache-2.0
"""The HTTP server that shows metrics to Prometheus."""

import http
import http.server
import socket
import threading
from typing import ClassVar

from oslo_log import log
from prometheus_client import exposition
from prometheus_client.registry import CollectorRegistry

from distil import exceptions

LOG = log.getLogger(__name__)

# A client that says nothing for so many seconds is hung up on.
_PATIENCE = 10.0


class Exporter:
    """Serves a registry, from a thread of its own once started.

    :raises ConfigurationError: the address cannot be listened on.
    """

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"registry": registry})
        server = type("Server", (_Server,), {"address_family": _family(host)})
        try:
            self._server: http.server.ThreadingHTTPServer = server((host, port), handler)
        except OSError as error:
            raise exceptions.ConfigurationError(
                [f"exporter_host and exporter_port: cannot listen on {host}:{port}: {error.strerror}"]
            ) from error
        self.port: int = self._server.server_port

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="exporter", daemon=True).start()
        LOG.info("Metrics are shown at http://%s:%d/metrics.", self._server.server_name, self.port)

    def close(self) -> None:
        """Give the port back, of an exporter that has not been started."""
        self._server.server_close()

    def stop(self) -> None:
        """End the thread and give the port back."""
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the name service for the host's name, however long that takes.
        super(http.server.HTTPServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Handler(http.server.BaseHTTPRequestHandler):
    registry: ClassVar[CollectorRegistry]
    timeout = _PATIENCE

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(http.HTTPStatus.NOT_FOUND, explain="Metrics are at /metrics.")
            return
        encode, content_type = exposition.choose_encoder(self.headers.get("Accept", ""))
        body = encode(self.registry)
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class's name for it

    def version_string(self) -> str:
        return "distil-collector"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        LOG.debug("%s: %s", self.address_string(), format % args)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
