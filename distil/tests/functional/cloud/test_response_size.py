# SPDX-License-Identifier: Apache-2.0
"""No response is read beyond the limit, compressed or decompressed, whoever asks."""

import gc
import gzip
import itertools
import tracemalloc
import unittest
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint
from keystoneauth1.identity import v3

from distil import exceptions
from distil.cloud import adapter
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.cloud.response_limits import ResponseLimits
from distil.sandbox.cloud import Cloud
from distil.telemetry.client import CeilometerClient
from distil.tests.functional.cloud.test_deadline import sockets
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import TOKENS
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Response
from distil.tests.support.slow_server import Pieces
from distil.tests.support.slow_server import SlowServer

SIZE = 256 * 1024
LIMITS = ResponseLimits(seconds=30, size=SIZE)
BOMB = gzip.compress(bytes(50 * 1024 * 1024))
MESSAGE = rf"the response is larger than {SIZE} bytes \(\[keystone_authtoken\] max_response_bytes\)"
BLOCK = 256 * 1024


def endless(head: bytes, block: bytes) -> Pieces:
    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.1 " + head
        yield from itertools.repeat(block)

    return pieces


ENDLESS_RESPONSES = {
    "body": endless(b"200 OK\r\nConnection: close\r\n\r\n", b" " * BLOCK),
    "chunks": endless(b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (BLOCK, b" " * BLOCK)),
    "tiny chunks": endless(b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * (BLOCK // 6)),
    "interim responses": endless(b"100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * (BLOCK // 25)),
    "trailers": endless(b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n", b"A: b\r\n" * (BLOCK // 6)),
    "body that decompresses to nothing": endless(
        b"200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"") * (BLOCK // 20)
    ),
    "error page": endless(b"500 Oops\r\nConnection: close\r\n\r\n", b" " * BLOCK),
}


def compressed(encoding: str, body: bytes) -> Response:
    return Response(body, headers={"Content-Encoding": encoding})


BOMBS = {
    "gzip": compressed("gzip", BOMB),
    "deflate": compressed("deflate", zlib.compress(bytes(50 * 1024 * 1024))),
    "gzip twice": compressed("gzip, gzip", gzip.compress(BOMB)),
    "error page": Response(BOMB, 500, {"Content-Encoding": "gzip"}),
    "declared length": Response(b"[", length=10**12),
}


class ResponseSizeTest(unittest.TestCase):
    def session(self, url: str) -> ks_session.Session:
        session = ks_session.Session(auth=token_endpoint.Token(url, "token"), timeout=30)
        adapter.mount_adapter(session, LIMITS)
        return session

    def assert_too_large(self, request: Callable[[], object], error_class: type[Exception]) -> None:
        """The memory that is needed meanwhile is a small multiple of the limit."""
        gc.collect()
        tracemalloc.start()
        try:
            with self.assertRaisesRegex(error_class, MESSAGE):
                request()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 16 * SIZE)

    def test_endless_response_raises(self) -> None:
        for name, pieces in ENDLESS_RESPONSES.items():
            with self.subTest(name), SlowServer(pieces) as server:
                session = self.session(server.url)
                self.assert_too_large(lambda: session.get(server.url), exceptions.ResponseTooLarge)  # noqa: B023

    def test_decompressed_body_is_limited(self) -> None:
        for name, response in BOMBS.items():
            with self.subTest(name), HTTPServer(response) as server:
                session = self.session(server.url)
                self.assert_too_large(lambda: session.get(server.url), exceptions.ResponseTooLarge)  # noqa: B023

    def test_body_of_limit_is_read(self) -> None:
        for response in (Response(b" " * SIZE), compressed("gzip", gzip.compress(b" " * SIZE))):
            with HTTPServer(response) as server:
                self.assertEqual(SIZE, len(self.session(server.url).get(server.url).content))

    def test_length_of_head_is_not_limited(self) -> None:
        with HTTPServer(Response(length=10**12)) as server:
            self.assertEqual(200, self.session(server.url).head(server.url).status_code)

    def test_malformed_length_is_ignored(self) -> None:
        with HTTPServer(Response(b"[]", headers={"Content-Length": "9" * 5000})) as server:
            self.assertEqual([], self.session(server.url).get(server.url).json())

    def test_leaks_no_sockets(self) -> None:
        with HTTPServer(BOMBS["gzip"]) as server:
            session = self.session(server.url)
            before = sockets()
            for _ in range(20):
                self.assertRaises(exceptions.ResponseTooLarge, session.get, server.url)
            gc.collect()
        self.assertEqual(set(), sockets() - before)


class ClientsTest(unittest.TestCase):
    """A too large response to any request of a client is an error of the client's own."""

    def setUp(self) -> None:
        endpoints = {**ENDPOINTS, "compute": "/compute", "metering": "/metering"}
        self.cloud = self.enterContext(CloudServer(endpoints=endpoints))

    def connection(self) -> Connection:
        session = self.cloud.session()
        adapter.mount_adapter(session, LIMITS)
        return Connection(session, None, "public")

    def assert_raises_own_error(self, target: str, *names: str) -> None:
        self.cloud.responses[target] = BOMBS["gzip"]
        requests: dict[str, tuple[type[Exception], Callable[[Connection], object]]] = {
            "identity": (exceptions.IdentityError, lambda cloud: KeystoneProjects(cloud).enabled()),
            "compute": (exceptions.LookupUnavailable, lambda cloud: cloud_lookups(cloud).flavors.get("1")),
            "metering": (
                exceptions.TelemetryError,
                lambda cloud: CeilometerClient(cloud.session, None, "public").list_samples("GET", "/v2/samples", "all"),
            ),
        }
        for name in names:
            error_class, request = requests[name]
            with self.subTest(target=target, name=name), self.assertRaisesRegex(error_class, MESSAGE):
                request(self.connection())

    def test_token_is_limited(self) -> None:
        self.assert_raises_own_error(TOKENS, "identity", "compute", "metering")

    def test_version_list_is_limited(self) -> None:
        self.assert_raises_own_error("/compute", "compute")

    def test_too_large_list_is_read_in_pages(self) -> None:
        cloud = self.enterContext(Cloud(projects=1500))
        credentials: dict[str, Any] = {**cloud.auth()}
        session = ks_session.Session(auth=v3.Password(**credentials), timeout=60)
        adapter.mount_adapter(session, LIMITS)
        projects = KeystoneProjects(Connection(session, None, "public")).enabled()
        self.assertEqual({*cloud.projects.enabled_ids, cloud.projects.service_id}, {found.id for found in projects})

    def test_answer_is_limited(self) -> None:
        self.assert_raises_own_error("/identity/v3/projects", "identity")
        self.assert_raises_own_error("/compute/v2.1/flavors/1", "compute")
        self.assert_raises_own_error("/metering/v2/samples", "metering")
