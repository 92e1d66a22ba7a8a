# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that gives prepared responses, however malformed."""

import collections
import contextlib
import dataclasses
import http.server
import json
import pathlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple
from typing import Self

from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

TOKEN = "gAAAA-secret-token"


@dataclasses.dataclass(frozen=True)
class Response:
    """:param body: bytes, or a value that is sent as JSON.
    :param length: the Content-Length sent, if it differs from the body's length.
    :param reason: the reason phrase, if not that of the status.
    :param delay: seconds before the response.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    length: int | None = None
    reason: str | None = None
    delay: float = 0

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


# Instead of a response the connection is reset.
RESET = Response(status=0)


class Request(NamedTuple):
    """:ivar target: the path, with the query.
    :ivar body: what its JSON says, or its text; None if it has no body.
    """

    method: str
    target: str
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


def _content(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode()


class HTTPServer(http.server.ThreadingHTTPServer):
    """Serves on loopback for the duration of a ``with``: each response once, and the last one from then on.

    :param certificate: a certificate's file and its key's, for TLS.
    :param client_cafile: certificates of the authorities, one of which must have issued a client's certificate.
    """

    request_queue_size = 128

    def __init__(
        self,
        *responses: Response,
        certificate: tuple[pathlib.Path, pathlib.Path] | None = None,
        client_cafile: pathlib.Path | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._tls = certificate is not None
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_cafile)
            context.load_cert_chain(*certificate)
            context.verify_mode = ssl.CERT_REQUIRED if client_cafile else ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server_port}"
        self.requests: list[Request] = []
        self._responses = collections.deque(responses)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def session(self, timeout: float = 5) -> ks_session.Session:
        """Return a session that takes this server for every service, and needs no Keystone."""
        return ks_session.Session(auth=token_endpoint.Token(self.url, TOKEN), timeout=timeout)

    def respond(self, _: Request) -> Response:
        return self._responses.popleft() if len(self._responses) > 1 else self._responses[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing of handshakes that clients abort: those tests are about them."""
        if not self._tls:
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: HTTPServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, _content(body))
        self.server.requests.append(request)
        with contextlib.suppress(ConnectionError):  # the client did not wait
            self._send(self.server.respond(request))

    do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

    def _send(self, response: Response) -> None:
        time.sleep(response.delay)
        if response is RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(response.status, response.reason)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content) if response.length is None else response.length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.content)

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""
