# SPDX-License-Identifier: Apache-2.0
"""What holds for every request: a time limit for the whole of it, and somebody who is told of it.

The time-out of requests is for each read from the socket: a server that sends a byte now and then holds a request for
ever. Here every read of an answer, from the status line's to the last of the body's, has what is left of the limit.
"""

import contextlib
import contextvars
import http.client
import io
import socket
import time
from collections.abc import Iterator
from typing import Any

import requests
from keystoneauth1 import session as ks_session
from urllib3 import connection as urllib3_connection
from urllib3 import connectionpool

# Kept open to one host: no fewer than threads that ask it.
MAX_POOL_CONNECTIONS = 64


# A request may be for a token, or for the versions of an API, on the way to the one that was meant. keystoneauth passes
# nothing on by which they could be told apart.
_SERVICE = contextvars.ContextVar("service", default="other")


class DeadlineExceeded(OSError):
    """An answer was not whole when its time was over."""


class RequestObserver:
    """Is told of every request. This one does nothing about it."""

    def on_request(self) -> None:
        """One is about to be sent."""

    def on_response(self, service: str, method: str, status: int | None, seconds: float) -> None:
        """One was answered, or will not be.

        :param service: what :func:`asking` was told.
        :param status: None where no answer came.
        :param seconds: from the request to the headers of its answer.
        """


@contextlib.contextmanager
def requests_to(service_type: str) -> Iterator[None]:
    """Around requests to a service, of this thread."""
    before = _SERVICE.set(service_type)
    try:
        yield
    finally:
        _SERVICE.reset(before)


def mount_deadline_adapter(session: ks_session.Session, limit: float, watcher: RequestObserver | None = None) -> None:
    """Make every request of a session end in time.

    Time runs from the attempt to connect, or from the request where a connection is used again. Connecting to an
    address, the TLS handshake and sending each have the session's time-out, as always.

    :param limit: seconds.
    """
    # Releases of keystoneauth before these options have no such attributes.
    options = {name: getattr(session, name) for name in ("tls_ciphers", "tls_min_version") if hasattr(session, name)}
    adapter = _DeadlineAdapter(limit, watcher or RequestObserver(), **options)
    for prefix in list(session.adapters):
        session.mount(prefix, adapter)


class _DeadlineAdapter(ks_session.TCPKeepAliveAdapter):
    """keystoneauth's adapter, with connections, through proxies too, that know the limit."""

    def __init__(self, limit: float, watcher: RequestObserver, **options: Any) -> None:
        self._limit = limit
        self._watcher = watcher
        super().__init__(pool_maxsize=MAX_POOL_CONNECTIONS, **options)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self._watcher.on_request()
        began = time.perf_counter()
        status = None
        try:
            response = super().send(request, *args, **kwargs)
            status = response.status_code
        finally:
            self._watcher.on_response(_SERVICE.get(), request.method or "", status, time.perf_counter() - began)
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> connectionpool.HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        kind: type[Any] = pool.ConnectionCls
        if not issubclass(kind, _Connection):
            pool.ConnectionCls = type(f"Limited{kind.__name__}", (_Connection, kind), {"limit": self._limit})
        return pool


class _Connection(urllib3_connection.HTTPConnection):
    """:ivar limit: seconds."""

    limit: float
    _deadline: float | None = None

    def connect(self) -> None:
        self._begin()
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._begin()
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._deadline = None  # the response knows it; the next request has its own
        return response

    def response_class(  # type: ignore[override]
        self, sock: socket.socket, *args: Any, **kwargs: Any
    ) -> http.client.HTTPResponse:
        """Called as http.client calls its class of responses; also for what a proxy answers to CONNECT."""
        response = http.client.HTTPResponse(sock, *args, **kwargs)
        raw = response.fp.detach()
        response.fp = io.BufferedReader(_Reader(raw, sock, self._begin(), self.limit))
        return response

    def _begin(self) -> float:
        if self._deadline is None:
            self._deadline = time.monotonic() + self.limit
        return self._deadline


class _Reader(io.RawIOBase):
    """What comes from a socket, up to a deadline.

    :param raw: reads from the socket, and is closed with this.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float, limit: float) -> None:
        self._raw = raw
        self._socket = sock
        self._timeout = sock.gettimeout()
        self._deadline = deadline
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left > 0:
            self._socket.settimeout(left if self._timeout is None else min(left, self._timeout))
            try:
                return self._raw.readinto(buffer)
            except TimeoutError:
                if time.monotonic() < self._deadline:
                    raise
        raise DeadlineExceeded(f"the answer was not whole after {self._limit:g} seconds")

    def close(self) -> None:
        self._raw.close()
        super().close()
