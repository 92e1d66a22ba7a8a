# SPDX-License-Identifier: Apache-2.0
"""The exporter's open connections: few, and none for long."""

import contextlib
import dataclasses
import socket
import threading
import time


@dataclasses.dataclass
class _State:
    since: float
    asked: bool = False


class Connections:
    """Each has a thread of its own, which a hang-up ends, wherever it waits for its client.

    :param most: how many there may be. One more costs the oldest that has not asked for anything yet, or else the
        oldest.
    :param patience: seconds that a client has to ask for something, TLS handshake included.
    :param lifetime: seconds that a client has to take the answer, and for everything.
    """

    def __init__(self, most: int, patience: float, lifetime: float) -> None:
        self._most = most
        self._patience = patience
        self._lifetime = lifetime
        self._open: dict[socket.socket, _State] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._open) >= self._most:
                silent = (each for each, state in self._open.items() if not state.asked)
                self._hang_up(next(silent, next(iter(self._open))))
            self._open[connection] = _State(time.monotonic())

    def asked(self, connection: socket.socket) -> None:
        """Its whole request is here."""
        with self._lock:
            if connection in self._open:
                self._open[connection].asked = True

    def discard(self, connection: socket.socket) -> None:
        """It ends by itself."""
        with self._lock:
            self._open.pop(connection, None)

    def expire(self) -> None:
        """Hang up where the time is over."""
        now = time.monotonic()
        with self._lock:
            for connection, state in list(self._open.items()):
                if now - state.since > (self._lifetime if state.asked else self._patience):
                    self._hang_up(connection)

    def close(self) -> None:
        """Hang up everywhere."""
        with self._lock:
            for connection in list(self._open):
                self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        del self._open[connection]
        # Not SSLSocket's, which forgets its TLS state while the connection's thread is using it.
        with contextlib.suppress(OSError):  # it is closed already
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
