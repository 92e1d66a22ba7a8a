# SPDX-License-Identifier: Apache-2.0
"""TCP proxies in front of a database server that interfere with COMMIT."""

import contextlib
import socket
import threading


class CommitDroppingProxy:
    """Drops the connection that first sends COMMIT while the proxy is armed.

    :param deliver: whether the server receives that COMMIT; the client never receives the reply.
    :ivar armed: set by the test, and cleared by that COMMIT.
    :ivar dropped: set when the connection is dropped.
    """

    def __init__(self, server: tuple[str, int], *, deliver: bool) -> None:
        self._server = server
        self._deliver = deliver
        self.armed = threading.Event()
        self.dropped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for connection in self._sockets:
            _close(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            threading.Thread(target=self._forward, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._forward, args=(server, client, False), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if from_client and self.armed.is_set() and b"COMMIT" in data:
                    self.armed.clear()
                    self._intercept(source, target, data)
                else:
                    target.sendall(data)
        _close(source)
        _close(target)

    def _intercept(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        self.dropped.set()
        _close(client)
        if self._deliver:
            server.sendall(data)


class CommitFailingProxy(CommitDroppingProxy):
    """Replies to COMMIT with the error of a MariaDB server whose disk is full; the server does not receive it."""

    def __init__(self, server: tuple[str, int]) -> None:
        super().__init__(server, deliver=False)

    def _intercept(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        error = b"\xff" + (1114).to_bytes(2, "little") + b"#HY000The table is full"
        client.sendall(len(error).to_bytes(3, "little") + b"\x01" + error)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
