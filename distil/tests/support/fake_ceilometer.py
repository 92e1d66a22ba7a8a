# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that answers what a test tells it to, however odd."""

import collections
import contextlib
import dataclasses
import http.server
import json
import socket
import struct
import threading
import time
from collections.abc import Mapping
from typing import Any
from typing import Self

from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

TOKEN = "gAAAA-secret"


@dataclasses.dataclass(frozen=True)
class Answer:
    """:param length: the Content-Length sent, where it is not the true one.
    :param delay: seconds before the answer.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    length: int | None = None
    delay: float = 0


RESET = Answer(status=0)


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any


class Server(http.server.ThreadingHTTPServer):
    """Gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = collections.deque(answers)
        self.requests: list[Request] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def session(self, timeout: float = 5) -> ks_session.Session:
        auth = token_endpoint.Token(f"http://127.0.0.1:{self.server_port}", TOKEN)
        return ks_session.Session(auth=auth, timeout=timeout)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(Request(self.command, self.path, json.loads(sent) if sent else None))
        answers = self.server.answers
        with contextlib.suppress(ConnectionError):  # the client did not wait
            self._give(answers.popleft() if len(answers) > 1 else answers[0])

    do_POST = do_GET  # noqa: N815 - http.server's name

    def _give(self, answer: Answer) -> None:
        time.sleep(answer.delay)
        if answer is RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""
