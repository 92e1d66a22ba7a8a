# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy in front of a database server, which stands in the way of COMMIT."""

import contextlib
import socket
import threading


class CommitCutter:
    """Passes bytes on, until one connection sends COMMIT: then it is cut. The next connections pass.

    :param deliver: whether the server still gets that COMMIT; the client never gets the answer.
    """

    def __init__(self, server: tuple[str, int], *, deliver: bool) -> None:
        self._server = server
        self._deliver = deliver
        self.armed = threading.Event()
        self.cut = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._sockets:
            _shut(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if from_client and self.armed.is_set() and b"COMMIT" in data:
                    self.armed.clear()
                    self._meet(source, target, data)
                else:
                    target.sendall(data)
        _shut(source)
        _shut(target)

    def _meet(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        self.cut.set()
        _shut(client)
        if self._deliver:
            server.sendall(data)


class CommitRefuser(CommitCutter):
    """Answers COMMIT itself, as a MariaDB server with a full disk does, and the server knows nothing of it."""

    def __init__(self, server: tuple[str, int]) -> None:
        super().__init__(server, deliver=False)

    def _meet(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        error = b"\xff" + (1114).to_bytes(2, "little") + b"#HY000The table is full"
        client.sendall(len(error).to_bytes(3, "little") + b"\x01" + error)


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
