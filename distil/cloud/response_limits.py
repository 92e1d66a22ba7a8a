# SPDX-License-Identifier: Apache-2.0
"""Limits of the duration and the size of whole responses.

The time-out of requests limits each read from the socket: a server that sends a byte now and then could hold a request
for ever. Here every read of a response, from its status line to the end of its body, gets the rest of the time limit.

All that is read of a response is counted, and what its body becomes when it is decompressed: a thousand times as much.
"""

import dataclasses
import http.client
import io
import socket
import time
from collections.abc import Iterator
from typing import Any

import requests
from urllib3 import connection as urllib3_connection

from distil import exceptions

# Of the headers, and of what divides a body into chunks; they are read beyond the limit of the body.
_MAX_OVERHEAD_BYTES = 1024 * 1024


class DeadlineExceeded(OSError):
    """A response was not complete within the time limit."""


@dataclasses.dataclass(frozen=True)
class ResponseLimits:
    """The limits of one response.

    :param seconds: from the attempt to connect, or from the request if a connection is reused. Connecting to an
        address, the TLS handshake and sending are each limited by the session's time-out, as usual.
    :param size: bytes of the body, compressed and decompressed.
    """

    seconds: float
    size: int

    def error(self) -> exceptions.ResponseTooLarge:
        """The error of a response that exceeds the size."""
        return exceptions.ResponseTooLarge(
            f"the response is larger than {self.size} bytes ([keystone_authtoken] max_response_bytes)"
        )


def limit_body(response: requests.Response, limits: ResponseLimits) -> None:
    """Limit the size of a body that has not been read yet.

    :raises ResponseTooLarge: its length is known to exceed the limit.
    """
    if response.request.method != "HEAD" and _declared_length(response) > limits.size:
        raise limits.error()
    response.raw = _LimitedBody(response.raw, limits)


def _declared_length(response: requests.Response) -> int:
    try:
        return int(response.headers.get("Content-Length", 0))
    except ValueError:
        return 0


class _LimitedBody:
    """urllib3's response with a limit of what its body becomes when it is decompressed."""

    def __init__(self, raw: Any, limits: ResponseLimits) -> None:
        self._raw = raw
        self._limits = limits

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        size = 0
        for piece in self._raw.stream(*args, **kwargs):
            size += len(piece)
            if size > self._limits.size:
                self._raw.close()
                raise self._limits.error()
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def limited_connection(connection_class: Any, limits: ResponseLimits) -> Any:
    """A connection class with limits; its base is urllib3's for HTTP, for HTTPS, or for a SOCKS proxy."""
    if issubclass(connection_class, _LimitedConnection):
        return connection_class

    class Connection(_LimitedConnection, connection_class):  # type: ignore[misc]
        _limits = limits

    return Connection


class _LimitedConnection(urllib3_connection.HTTPConnection):
    _limits: ResponseLimits
    _deadline: float | None = None

    def connect(self) -> None:
        self._start()
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._start()
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._deadline = None  # its reader keeps it; the next request gets a new one
        return response

    def response_class(  # type: ignore[override]
        self, sock: socket.socket, *args: Any, **kwargs: Any
    ) -> http.client.HTTPResponse:
        """Called like http.client's response class; also for a proxy's response to CONNECT."""
        response = http.client.HTTPResponse(sock, *args, **kwargs)
        raw = response.fp.detach()
        response.fp = io.BufferedReader(_LimitedReader(raw, sock, self._start(), self._limits))
        return response

    def _start(self) -> float:
        """The deadline, set now if the request has none yet."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._limits.seconds
        return self._deadline


class _LimitedReader(io.RawIOBase):
    """Reads one response from a socket.

    :param raw: reads from the socket; closed with this reader.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float, limits: ResponseLimits) -> None:
        self._raw = raw
        self._socket = sock
        self._timeout = sock.gettimeout()
        self._deadline = deadline
        self._limits = limits
        self._bytes_left = limits.size + _MAX_OVERHEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left > 0:
            self._socket.settimeout(left if self._timeout is None else min(left, self._timeout))
            try:
                return self._counted(self._raw.readinto(buffer))
            except TimeoutError:
                if time.monotonic() < self._deadline:
                    raise
        raise DeadlineExceeded(f"the response was not complete after {self._limits.seconds:g} seconds")

    def _counted(self, count: int | None) -> int | None:
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise self._limits.error()
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
