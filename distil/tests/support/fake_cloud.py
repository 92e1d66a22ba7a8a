# SPDX-License-Identifier: Apache-2.0
"""A cloud over HTTP that answers what a test tells it to, however odd."""

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
from keystoneauth1.identity import v3

from distil.cloud import connection

TOKEN = "gAAAA-secret-token"
PASSWORD = "secret-password"
OWN_PROJECT = "0123456789abcdef"
REGION = "north"
TOKENS = "/identity/v3/auth/tokens"
ENDPOINTS = {
    "identity": "/identity/v3",
    "compute": "/compute/v2.1",
    "volumev3": f"/volume/v3/{OWN_PROJECT}",
    "image": "/image",
    "object-store": f"/swift/v1/AUTH_{OWN_PROJECT}",
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """:param body: bytes, or what becomes JSON.
    :param length: the Content-Length sent, where it is not the true one.
    :param delay: seconds before the answer.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    length: int | None = None
    delay: float = 0

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


RESET = Answer(status=0)
NOT_FOUND = Answer({"itemNotFound": {"code": 404, "message": "It could not be found."}}, status=404)


class Cloud(http.server.ThreadingHTTPServer):
    """Answers by the target of a request: its path with the query, or else its path.

    :param answers: target -> answer, beyond those to authentication and discovery.
    :param endpoints: service type -> path of its endpoint.
    """

    request_queue_size = 128

    def __init__(self, answers: Mapping[str, Answer] | None = None, endpoints: Mapping[str, str] = ENDPOINTS) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: dict[str, Answer] = self._discovery()
        self.offer(endpoints)
        self.answers |= answers or {}
        self.requests: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def offer(self, endpoints: Mapping[str, str]) -> None:
        """Have the catalog of the next token hold these endpoints."""
        self.answers[TOKENS] = Answer(self._token(endpoints), 201, {"X-Subject-Token": TOKEN})

    def session(self, timeout: float = 5) -> ks_session.Session:
        auth = v3.Password(
            self.url + "/identity/v3",
            username="distil",
            password=PASSWORD,
            user_domain_id="default",
            project_id=OWN_PROJECT,
        )
        return ks_session.Session(auth=auth, timeout=timeout)

    def connection(
        self, region_name: str | None = REGION, interface: str = "public", timeout: float = 5
    ) -> connection.Connection:
        return connection.Connection(self.session(timeout), region_name, interface)

    def asked(self) -> list[str]:
        """The requests so far, without authentication and discovery."""
        own = {f"GET {path}" for path in self._discovery()} | {f"POST {TOKENS}"}
        return [request for request in self.requests if request not in own]

    def _discovery(self) -> dict[str, Answer]:
        nova = {
            "id": "v2.1",
            "status": "CURRENT",
            "version": "2.96",
            "min_version": "2.1",
            **self._self("/compute/v2.1/"),
        }
        cinder = {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "3.70",
            "min_version": "3.0",
            **self._self("/volume/v3/"),
        }
        glance = {"id": "v2.9", "status": "CURRENT", **self._self("/image/v2/")}
        keystone = {"id": "v3.14", "status": "stable", **self._self("/identity/v3/")}
        return {
            "/identity/v3": Answer({"version": keystone}),
            "/compute": Answer({"versions": [nova]}),
            "/compute/v2.1": Answer({"version": nova}),
            "/volume/v3/": Answer({"versions": [cinder]}),
            "/image": Answer({"versions": [glance]}, status=300),
        }

    def _self(self, path: str) -> dict[str, Any]:
        return {"links": [{"rel": "self", "href": self.url + path}]}

    def _token(self, endpoints: Mapping[str, str]) -> dict[str, Any]:
        catalog = [
            {
                "type": service,
                "name": service,
                "id": service,
                "endpoints": [
                    {"id": service, "interface": "public", "region": REGION, "region_id": REGION, "url": url}
                ],
            }
            for service, url in ((service, self.url + path) for service, path in endpoints.items())
        ]
        domain = {"id": "default", "name": "Default"}
        who = {"user": {"id": "u", "name": "distil", "domain": domain}, "roles": []}
        project = {"id": OWN_PROJECT, "name": "service", "domain": domain}
        times = {"issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2999-01-01T00:00:00.000000Z"}
        return {"token": {"methods": ["password"], "project": project, "catalog": catalog, **who, **times}}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Cloud

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(f"{self.command} {self.path}")
        answers = self.server.answers
        self._give(answers.get(self.path) or answers.get(self.path.partition("?")[0]) or NOT_FOUND)

    do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

    def _give(self, answer: Answer) -> None:
        time.sleep(answer.delay)
        if answer is RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content) if answer.length is None else answer.length))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked did not wait
                self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""
