# SPDX-License-Identifier: Apache-2.0
"""How an answer goes onto the wire, or how it fails to."""

import http
import socket
import struct
from collections.abc import Callable

from distil.sandbox.http.faults import Active
from distil.sandbox.http.messages import Reply

_DROPS = 20
_PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


class ResponseWriter:
    """The answer to one request.

    :param bodiless: the request was a HEAD.
    """

    def __init__(self, connection: socket.socket, bodiless: bool) -> None:
        self._connection = connection
        self._bodiless = bodiless

    def send(self, reply: Reply) -> bool:
        """Send a reply. Like all methods here that send, it says whether the connection can go on."""
        self._connection.sendall(self._head(reply) + self._body(reply))
        return True

    def fail(self, active: Active, reply: Callable[[], Reply], failure: Callable[[int], Reply]) -> bool:
        """Answer as a fault demands.

        :param reply: makes the right answer.
        :param failure: makes an error as the service words it.
        """
        fault = active.fault
        if fault.kind == "reset":
            return self._reset()
        if fault.kind == "timeout":
            active.released.wait(fault.seconds)
            return False
        if fault.kind == "truncated":
            return self._send_half(reply())
        if fault.kind == "slow":
            return self._drip(reply(), active, fault.seconds or 0)
        if fault.kind == "cut":
            whole = reply()
            return self.send(Reply(whole.status, whole.body[: len(whole.body) // 2], whole.content_type, whole.headers))
        instead = {
            "html": Reply(200, _PAGE, "text/html; charset=UTF-8"),
            "empty": Reply(200),
            "not_a_list": Reply(200, fault.body.encode()),
        }
        return self.send(instead.get(fault.kind) or failure(fault.status))

    def _head(self, reply: Reply) -> bytes:
        phrase = http.HTTPStatus(reply.status).phrase if reply.status in _KNOWN else "Unknown"
        lines = [f"HTTP/1.1 {reply.status} {phrase}"]
        if reply.status != http.HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(reply.body)}")
        lines.append(f"Content-Type: {reply.content_type}")
        lines.extend(f"{name}: {value}" for name, value in reply.headers)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _body(self, reply: Reply) -> bytes:
        return b"" if self._bodiless else reply.body

    def _send_half(self, reply: Reply) -> bool:
        body = self._body(reply)
        self._connection.sendall(self._head(reply) + body[: len(body) // 2])
        return False

    def _drip(self, reply: Reply, active: Active, seconds: float) -> bool:
        self._connection.sendall(self._head(reply))
        body = self._body(reply)
        size = len(body) // _DROPS + 1
        for start in range(0, len(body), size):
            active.released.wait(seconds / _DROPS)
            self._connection.sendall(body[start : start + size])
        return True

    def _reset(self) -> bool:
        # Closing a socket that does not linger sends RST instead of FIN.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


_KNOWN = frozenset(status.value for status in http.HTTPStatus)
