# SPDX-License-Identifier: Apache-2.0
"""A time limit for whole requests.

The time-out of requests limits each read from the socket: a server that sends a byte now and then could hold a request
for ever. Here every read of a response, from its status line to the end of its body, gets the rest of the time limit.
"""

import http.client
import io
import socket
import time
from typing import Any

import requests
from keystoneauth1 import session as ks_session
from urllib3 import connection as urllib3_connection
from urllib3 import connectionpool

from distil.cloud import request_observer
from distil.cloud.request_observer import RequestObserver

# Open connections to one host: at least one for each thread.
_MAX_POOL_CONNECTIONS = 64


class DeadlineExceeded(OSError):
    """A response was not complete within the time limit."""


def mount_deadline_adapter(session: ks_session.Session, limit: float, observer: RequestObserver | None = None) -> None:
    """Limit the duration of every request of a session.

    The time runs from the attempt to connect, or from the request if a connection is reused. Connecting to an address,
    the TLS handshake and sending are each limited by the session's time-out, as usual.

    :param limit: seconds.
    """
    # Older releases of keystoneauth lack these attributes.
    options = {name: getattr(session, name) for name in ("tls_ciphers", "tls_min_version") if hasattr(session, name)}
    adapter = _DeadlineAdapter(limit, observer or RequestObserver(), **options)
    for prefix in list(session.adapters):
        session.mount(prefix, adapter)


class _DeadlineAdapter(ks_session.TCPKeepAliveAdapter):
    """keystoneauth's adapter with connections, also through proxies, that enforce the time limit."""

    def __init__(self, limit: float, observer: RequestObserver, **options: Any) -> None:
        self._limit = limit
        self._observer = observer
        super().__init__(pool_maxsize=_MAX_POOL_CONNECTIONS, **options)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self._observer.on_request()
        started = time.perf_counter()
        status = None
        try:
            response = super().send(request, *args, **kwargs)
            status = response.status_code
        finally:
            seconds = time.perf_counter() - started
            self._observer.on_response(request_observer.current_service(), request.method or "", status, seconds)
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> connectionpool.HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, _DeadlineConnection):
            pool.ConnectionCls = _limited(pool.ConnectionCls, self._limit)
        return pool


def _limited(connection_class: Any, limit: float) -> Any:
    """A connection class with a deadline; its base is urllib3's for HTTP, for HTTPS, or for a SOCKS proxy."""

    class Connection(_DeadlineConnection, connection_class):  # type: ignore[misc]
        _limit = limit

    return Connection


class _DeadlineConnection(urllib3_connection.HTTPConnection):
    """:cvar _limit: seconds."""

    _limit: float
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
        response.fp = io.BufferedReader(_DeadlineReader(raw, sock, self._start(), self._limit))
        return response

    def _start(self) -> float:
        """The deadline, set now if the request has none yet."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._limit
        return self._deadline


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until a deadline.

    :param raw: reads from the socket; closed with this reader.
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
        raise DeadlineExceeded(f"the response was not complete after {self._limit:g} seconds")

    def close(self) -> None:
        self._raw.close()
        super().close()
