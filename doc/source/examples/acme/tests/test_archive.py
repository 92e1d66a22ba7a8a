# SPDX-License-Identifier: Apache-2.0

import datetime
import http.server
import json
import threading
import unittest
import urllib.parse
from collections.abc import Iterable

from acme_distil.archive import ArchiveDriver
from keystoneauth1 import session
from keystoneauth1 import token_endpoint

from distil import plugin

START = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
END = START + datetime.timedelta(hours=1)


def document(minute: int, **fields: object) -> dict[str, object]:
    timestamp = (START + datetime.timedelta(minutes=minute)).isoformat()
    valid = {"resource_id": "vm-1", "timestamp": timestamp, "volume": 1, "source": "archive", "metadata": {}}
    return {**valid, **fields}


def page(documents: Iterable[object], next_marker: str | None) -> bytes:
    return json.dumps({"samples": list(documents), "next": next_marker}).encode()


class Archive(http.server.ThreadingHTTPServer):
    """Responds with the page that a query's marker names, and records the queries."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = pages
        self.queries: list[dict[str, str]] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.server.queries.append(query)
        body = self.server.pages[query.get("marker", "")]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Does not log."""


class ArchiveDriverTest(unittest.TestCase):
    def samples(self, pages: dict[str, bytes]) -> list[plugin.Sample | plugin.RejectedSample]:
        with Archive(pages) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self.queries = server.queries
            try:
                return self.samples_at(f"http://127.0.0.1:{server.server_port}")
            finally:
                server.shutdown()
                thread.join()

    def samples_at(self, url: str) -> list[plugin.Sample | plugin.RejectedSample]:
        client_session = session.Session(auth=token_endpoint.Token(url, "token"))
        driver = ArchiveDriver(client_session, region_name=None, interface="public")
        return list(driver.samples(["project-1"], ["cpu_util"], START, END))

    def test_every_page_is_read_and_filtered(self) -> None:
        first, late, second, invalid = document(0), document(60), document(10), document(20, source=None)
        found = self.samples({"": page([first, late], "2"), "2": page([second, invalid], None)})
        self.assertEqual([first, second, invalid], [sample.document for sample in found])
        self.assertIsInstance(found[2], plugin.RejectedSample)
        self.assertEqual(["project-1"] * 2, [query["project"] for query in self.queries])
        self.assertEqual(START.isoformat(), self.queries[0]["from"])

    def test_invalid_page_raises(self) -> None:
        for body in (b"", b"<html>", b"[]", b'{"samples": []}', b'{"next": null}', page([], None)[:-5]):
            with self.subTest(body), self.assertRaises(plugin.TelemetryError):
                self.samples({"": body})

    def test_unreachable_service_raises(self) -> None:
        with self.assertRaises(plugin.TelemetryError):
            self.samples_at("http://127.0.0.1:1")
