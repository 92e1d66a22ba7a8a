# SPDX-License-Identifier: Apache-2.0
"""A server whose responses arrive byte by byte and never end."""

import contextlib
import itertools
import pathlib
import socket
import ssl
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Self

Pieces = Callable[[], Iterator[bytes]]

_PAUSE_SECONDS = 0.05


def _headers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    yield from itertools.repeat(b"a")


def _status_line() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 "
    yield from itertools.repeat(b"a")


def _interim_responses() -> Iterator[bytes]:
    yield from itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n")


def _body() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    yield from itertools.repeat(b" ")


def _body_without_length() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[]"
    yield from itertools.repeat(b" ")


def _chunks() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"1\r\n \r\n")


def _trailers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n"
    yield from itertools.repeat(b"A: b\r\n")


SLOW_RESPONSES: dict[str, Pieces] = {
    "headers": _headers,
    "status line": _status_line,
    "interim responses": _interim_responses,
    "body": _body,
    "body without a length": _body_without_length,
    "chunks": _chunks,
    "trailers": _trailers,
}
COMPLETE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


class SlowServer:
    """Serves on loopback for the duration of a ``with``.

    :param pieces: what it sends, one after the other with pauses.
    :param complete: how many requests of a connection get a complete response before.
    :param certificate: a certificate's file and its key's, for TLS.
    :param greet: whether it sends upon connection, instead of upon a request.
    """

    def __init__(
        self,
        pieces: Pieces,
        complete: int = 0,
        certificate: tuple[pathlib.Path, pathlib.Path] | None = None,
        greet: bool = False,
    ) -> None:
        self._pieces = pieces
        self._complete = complete
        self._greet = greet
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self.connections = 0
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection.settimeout(30)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:  # the client has closed it
            secured = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with secured:
                for _ in range(self._complete):
                    self._read(secured)
                    secured.sendall(COMPLETE)
                if not self._greet:
                    self._read(secured)
                for piece in self._pieces():
                    secured.sendall(piece)
                    if self._stopped.wait(_PAUSE_SECONDS):
                        return

    def _read(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            received = connection.recv(65536)
            if not received:
                raise ConnectionResetError("the client has closed the connection")
            head += received
