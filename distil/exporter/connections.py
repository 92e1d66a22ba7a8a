# SPDX-License-Identifier: Apache-2.0
"""Limits the number and the duration of the exporter's connections."""

import contextlib
import dataclasses
import socket
import threading
import time


@dataclasses.dataclass
class _State:
    opened: float
    request_received: bool = False


class Connections:
    """The open connections. Each has its own thread, which ends when the connection is shut down here.

    :param limit: maximum number of connections. Another one replaces the oldest without a request, else the oldest.
    :param request_timeout: seconds from opening a connection to its whole request, TLS handshake included.
    :param connection_timeout: seconds from opening a connection to the end of its response.
    """

    def __init__(self, limit: int, request_timeout: float, connection_timeout: float) -> None:
        self._limit = limit
        self._request_timeout = request_timeout
        self._connection_timeout = connection_timeout
        self._open: dict[socket.socket, _State] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: socket.socket) -> None:
        """Adds a connection, and shuts another one down if there are too many."""
        with self._lock:
            if len(self._open) >= self._limit:
                idle = (other for other, state in self._open.items() if not state.request_received)
                self._shut_down(next(idle, next(iter(self._open))))
            self._open[connection] = _State(time.monotonic())

    def on_request(self, connection: socket.socket) -> None:
        """Notes that a connection's whole request has been received."""
        with self._lock:
            if connection in self._open:
                self._open[connection].request_received = True

    def discard(self, connection: socket.socket) -> None:
        """Removes a connection that its thread is about to close."""
        with self._lock:
            self._open.pop(connection, None)

    def expire(self) -> None:
        """Shuts down the connections that have timed out."""
        now = time.monotonic()
        with self._lock:
            for connection, state in list(self._open.items()):
                timeout = self._connection_timeout if state.request_received else self._request_timeout
                if now - state.opened > timeout:
                    self._shut_down(connection)

    def close(self) -> None:
        """Shuts down all connections."""
        with self._lock:
            for connection in list(self._open):
                self._shut_down(connection)

    def _shut_down(self, connection: socket.socket) -> None:
        del self._open[connection]
        # SSLSocket.shutdown would discard the TLS state while the connection's thread is using it.
        with contextlib.suppress(OSError):  # already closed
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
