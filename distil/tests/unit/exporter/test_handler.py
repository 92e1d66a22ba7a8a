# SPDX-License-Identifier: Apache-2.0
"""Responses to valid, unusual and malformed requests, byte by byte."""

import socket
import unittest

from prometheus_client import CollectorRegistry
from prometheus_client import Gauge

from distil.exporter.health_page import HealthPage
from distil.exporter.pages import MetricsPage
from distil.exporter.pages import Page
from distil.exporter.server import Exporter
from distil.exporter.status_page import StatusPage
from distil.monitoring.history import History
from distil.monitoring.history import RunOutcome
from distil.tests.support import snapshots

PATHS = ("/", "/health", "/metrics")


class HttpProtocolTest(unittest.TestCase):
    def setUp(self) -> None:
        registry = CollectorRegistry()
        Gauge("ok", "Always 1.", registry=registry).set(1)
        pages: dict[str, Page] = {
            "/": StatusPage(snapshots.rich, snapshots.clock),
            "/health": HealthPage(snapshots.rich, snapshots.clock),
            "/metrics": MetricsPage(registry),
        }
        self.serve(pages)

    def serve(self, pages: dict[str, Page]) -> None:
        self.exporter = Exporter(pages, "127.0.0.1", 0)
        self.exporter.start()
        self.addCleanup(self.exporter.stop)

    def send(self, request: bytes) -> bytes:
        """Returns everything received until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.exporter.port), timeout=20) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def request(
        self, target: str, method: str = "GET", version: str = "HTTP/1.1", headers: str = "Host: a\r\n"
    ) -> bytes:
        return self.send(f"{method} {target} {version}\r\n{headers}\r\n".encode())

    def status(self, response: bytes) -> int:
        version, status, _ = response.split(b" ", 2)
        self.assertEqual(b"HTTP/1.1", version)
        return int(status)

    def test_http_versions_answered_and_connection_closed(self) -> None:
        for version in ("HTTP/1.0", "HTTP/1.1"):
            head, _, body = self.request("/metrics", version=version).partition(b"\r\n\r\n")
            self.assertEqual(200, self.status(head))
            self.assertIn(b"\r\nConnection: close", head)
            self.assertIn(f"\r\nContent-Length: {len(body)}".encode(), head)
            self.assertTrue(body.endswith(b"ok 1.0\n"))

    def test_only_http11_requires_host(self) -> None:
        self.assertEqual(200, self.status(self.request("/metrics", version="HTTP/1.0", headers="")))
        self.assertEqual(400, self.status(self.request("/metrics", version="HTTP/1.1", headers="")))

    def test_head_has_no_body(self) -> None:
        for target, status in (*((path, 200) for path in PATHS), ("/other", 404)):
            head, _, body = self.request(target, "HEAD").partition(b"\r\n\r\n")
            self.assertEqual((status, b""), (self.status(head), body), target)

    def test_query_is_ignored(self) -> None:
        for path in PATHS:
            self.assertEqual(200, self.status(self.request(f"{path}?name[]=x")), path)

    def test_only_html_has_security_headers(self) -> None:
        for path, content_type, secured in (("/", b"text/html", True), ("/metrics", b"text/plain", False)):
            head = self.request(path).partition(b"\r\n\r\n")[0]
            self.assertIn(b"\r\nContent-Type: " + content_type, head)
            for header in (
                b"\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline';",
                b"\r\nX-Content-Type-Options: nosniff",
                b"\r\nCache-Control: no-store",
            ):
                self.assertEqual(secured, header in head, head)

    def test_unhealthy_returns_503_until_good_run(self) -> None:
        history = History("default", "1", snapshots.HOUR, snapshots.NOW)
        self.serve({"/health": HealthPage(history.snapshot, snapshots.clock)})
        for outcome, status in ((RunOutcome.FAILED, 503), (RunOutcome.STOPPED, 503), (RunOutcome.PARTIAL, 200)):
            history.finish(snapshots.run(snapshots.MINUTE, outcome), None)
            for method in ("GET", "HEAD"):
                self.assertEqual(status, self.status(self.request("/health", method)))

    def test_unknown_path_lists_available_paths(self) -> None:
        self.assertTrue(self.request("/other").endswith(b"\r\n\r\nNot found. Available paths: /, /health, /metrics\n"))

    def test_absolute_target_selects_its_path(self) -> None:
        for target in ("http://a/metrics", "HTTP://a:16799/metrics?x=http://b/", "https://[::1]:16799/metrics"):
            self.assertEqual(200, self.status(self.request(target)), target)
        for target in ("http://a/", "http://a"):
            self.assertIn(b"text/html", self.request(target))

    def test_options_says_what_is_allowed(self) -> None:
        for target, version, headers in (
            *((path, "HTTP/1.1", "Host: a\r\n") for path in (*PATHS, "*", "http://a/metrics")),
            ("/", "HTTP/1.0", ""),  # HAProxy's check
        ):
            head, _, body = self.request(target, "OPTIONS", version, headers).partition(b"\r\n\r\n")
            self.assertEqual((200, b""), (self.status(head), body), target)
            self.assertIn(b"\r\nAllow: GET, HEAD, OPTIONS\r\n", head + b"\r\n")
        self.assertEqual(404, self.status(self.request("/other", "OPTIONS")))

    def test_other_methods_return_405_with_allow(self) -> None:
        for method in (
            "POST",
            "PUT",
            "DELETE",
            "TRACE",
            "PATCH",
            "CONNECT",
            "BREW",
            "get",
            "handle",
            "send",
        ):
            for path in PATHS:
                head, _, body = self.request(path, method).partition(b"\r\n\r\n")
                self.assertEqual((405, b""), (self.status(head), body), method)
                self.assertIn(b"\r\nAllow: GET, HEAD, OPTIONS\r\n", head + b"\r\n")

    def test_refused_request_with_body_is_answered(self) -> None:
        body = b"x" * 50_000
        for method in (b"POST", b"GET"):
            response = self.send(method + b" /other HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + body)
            self.assertEqual(404, self.status(response))

    def test_other_paths_return_404(self) -> None:
        plain = (
            "/other",
            "/metrics/",
            "/health/",
            "/METRICS",
            "metrics",
            "*",
            "http://a/other",
            "ftp://a/",
        )
        tricks = ("//metrics", "/./metrics", "/a/../metrics", "/%6detrics", "/metrics%00", "/../../../../etc/passwd")
        for target in plain + tricks:
            for method in ("GET", "POST"):
                self.assertEqual(404, self.status(self.request(target, method)), target)

    def test_oversized_request_returns_431(self) -> None:
        for request in (
            b"GET /metrics?" + b"a" * 20_000,
            b"GET /metrics HTTP/1.1\r\nHost: " + b"a" * 20_000,
            b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 10_000,
        ):
            self.assertEqual(431, self.status(self.send(request)))

    def test_malformed_request_is_rejected(self) -> None:
        for request, status in (
            (b"GET /metrics\r\n\r\n", 400),
            (b"GET\r\n\r\n", 400),
            (b"GET /metrics HTTP/x\r\n\r\n", 400),
            (b"GET /metrics HTTP/2.0\r\n\r\n", 505),
            (b"\x16\x03\x01\x02\x00\x01 \xff\xff\r\n\r\n", 400),
        ):
            self.assertEqual(status, self.status(self.send(request)), request)

    def test_client_input_is_not_echoed(self) -> None:
        for request in (b"<script>/x y z HTTP/1.1\r\n\r\n", b"GET /<script> HTTP/1.0\r\n\r\n", b"<script>\r\n\r\n"):
            self.assertNotIn(b"<script>", self.send(request))

    def test_incomplete_request_gets_no_response(self) -> None:
        for incomplete in (
            b"",
            b"GET /metrics HT",
            b"GET /metrics HTTP/1.0\r\n",
            b"GET /metrics HTTP/1.0\r\nHost: a\r\n",
        ):
            with socket.create_connection(("127.0.0.1", self.exporter.port), timeout=20) as connection:
                connection.sendall(incomplete)
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(b"", connection.recv(1))

    def test_unknown_accept_gets_text_format(self) -> None:
        for accept in ("", "*/*", "application/json", "text/plain; version=x", ",;=,"):
            response = self.request("/metrics", headers=f"Host: a\r\nAccept: {accept}\r\n")
            self.assertIn(b"\r\nContent-Type: text/plain; version=0.0.4", response)

    def test_unknown_openmetrics_version_gets_first(self) -> None:
        for version in ("x", "99", "1.0.0"):
            accept = f"Accept: application/openmetrics-text; version={version}"
            response = self.request("/metrics", headers=f"Host: a\r\n{accept}\r\n")
            self.assertIn(b"\r\nContent-Type: application/openmetrics-text; version=1.0.0", response)
