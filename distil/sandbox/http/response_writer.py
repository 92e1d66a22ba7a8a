# SPDX-License-Identifier: Apache-2.0
"""How an answer goes onto the wire, or how it fails to."""

import http
import socket
import struct
from collections.abc import Callable

from distil.sandbox.http.faults import ActiveFault
from distil.sandbox.http.messages import HTTPResponse

_DROPS = 20
_PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


class ResponseWriter:
    """The answer to one request.

    :param bodiless: the request was a HEAD.
    """

    def __init__(self, connection: socket.socket, without_body: bool) -> None:
        self._connection = connection
        self._bodiless = without_body

    def send(self, reply: HTTPResponse) -> bool:
        """Send a reply. Like all methods here that send, it says whether the connection can go on."""
        self._connection.sendall(self._head(reply) + self._body(reply))
        return True

    def send_faulty(
        self, active: ActiveFault, reply: Callable[[], HTTPResponse], failure: Callable[[int], HTTPResponse]
    ) -> bool:
        """Answer as a fault demands.

        :param reply: makes the right answer.
        :param failure: makes an error as the service words it.
        """
        fault = active.fault
        if fault.kind == "reset":
            return self._reset()
        if fault.kind == "timeout":
            active.removed.wait(fault.seconds)
            return False
        if fault.kind == "truncated":
            return self._send_half(reply())
        if fault.kind == "slow":
            return self._drip(reply(), active, fault.seconds or 0)
        if fault.kind == "cut":
            whole = reply()
            return self.send(
                HTTPResponse(whole.status, whole.body[: len(whole.body) // 2], whole.content_type, whole.headers)
            )
        instead = {
            "html": HTTPResponse(200, _PAGE, "text/html; charset=UTF-8"),
            "empty": HTTPResponse(200),
            "not_a_list": HTTPResponse(200, fault.body.encode()),
        }
        return self.send(instead.get(fault.kind) or failure(fault.status))

    def _head(self, reply: HTTPResponse) -> bytes:
        phrase = http.HTTPStatus(reply.status).phrase if reply.status in _KNOWN else "Unknown"
        lines = [f"HTTP/1.1 {reply.status} {phrase}"]
        if reply.status != http.HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(reply.body)}")
        lines.append(f"Content-Type: {reply.content_type}")
        lines.extend(f"{name}: {value}" for name, value in reply.headers)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _body(self, reply: HTTPResponse) -> bytes:
        return b"" if self._bodiless else reply.body

    def _send_half(self, reply: HTTPResponse) -> bool:
        body = self._body(reply)
        self._connection.sendall(self._head(reply) + body[: len(body) // 2])
        return False

    def _drip(self, reply: HTTPResponse, active: ActiveFault, seconds: float) -> bool:
        self._connection.sendall(self._head(reply))
        body = self._body(reply)
        size = len(body) // _DROPS + 1
        for start in range(0, len(body), size):
            active.removed.wait(seconds / _DROPS)
            self._connection.sendall(body[start : start + size])
        return True

    def _reset(self) -> bool:
        # Closing a socket that does not linger sends RST instead of FIN.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


_KNOWN = frozenset(status.value for status in http.HTTPStatus)
