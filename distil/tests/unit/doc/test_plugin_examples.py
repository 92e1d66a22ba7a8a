# SPDX-License-Identifier: Apache-2.0
"""The plugins of the documentation, at work."""

import contextlib
import http.server
import importlib
import json
import pathlib
import sys
import threading
import tomllib
import unittest
import urllib.parse
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from distil import exceptions
from distil import model
from distil.rating import intake
from distil.rating import parse
from distil.telemetry.base import TelemetryDriver
from distil.tests.unit import builders
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups

EXAMPLES = pathlib.Path(__file__).parents[4] / "doc" / "source" / "examples"
HOUR = builders.HOUR
Query = dict[str, list[str]]


def load(group: str, name: str) -> Any:
    """What the example's package declares under a name of an entry point group."""
    project = tomllib.loads((EXAMPLES / "pyproject.toml").read_text())["project"]
    module, _, attribute = project["entry-points"][group][name].partition(":")
    sys.path.insert(0, str(EXAMPLES))
    try:
        return getattr(importlib.import_module(module), attribute)
    finally:
        sys.path.remove(str(EXAMPLES))


class TransformerTest(unittest.TestCase):
    def test_the_average_is_billed(self) -> None:
        plugin: type[Transformer] = load("distil.transformer", "average")
        entry = builders.entry("average", transformer_config={"suffix": "-average"})
        mappings, problems = parse.meter_mappings([entry], {"average": plugin}, {})
        self.assertEqual([], problems)
        (mapping,) = mappings
        samples = []
        for minute, volume in enumerate((1, "2", 6)):
            sample = intake.read_sample(builders.document(minute, volume=volume), "p1", builders.METER)
            assert isinstance(sample, model.Sample)
            fitted = mapping.fit(sample, Lookups())
            assert fitted is not None
            samples.append(fitted)
        usage = mapping.transformer.usage(mapping.service, samples, builders.window(120), Lookups())
        self.assertEqual({"s1-average": Decimal(6)}, usage)

    def test_a_null_volume_is_rejected(self) -> None:
        plugin: type[Transformer] = load("distil.transformer", "average")
        (mapping,), _ = parse.meter_mappings([builders.entry("average")], {"average": plugin}, {})
        sample = intake.read_sample(builders.document(volume=None), "p1", builders.METER)
        assert isinstance(sample, model.Sample)
        with self.assertRaisesRegex(exceptions.SampleRejected, "null"):
            mapping.fit(sample, Lookups())


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers each question with the page that its marker names."""

    pages: ClassVar[dict[str, bytes]]
    asked: ClassVar[list[Query]]

    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.asked.append(query)
        body = self.pages[query.get("marker", [""])[0]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing: it would go to standard error."""


@contextlib.contextmanager
def archive(pages: dict[str, bytes]) -> Iterator[tuple[TelemetryDriver, list[Query]]]:
    """The driver, and what the service was asked."""
    asked: list[Query] = []
    handler = type("Handler", (Handler,), {"pages": pages, "asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            auth = token_endpoint.Token(f"http://127.0.0.1:{server.server_port}", "token")
            yield load("distil.telemetry", "archive")(ks_session.Session(auth=auth), None, "public"), asked
        finally:
            server.shutdown()
            thread.join()


def page(documents: list[Any], following: str | None) -> bytes:
    return json.dumps({"samples": documents, "next": following}).encode()


class TelemetryDriverTest(unittest.TestCase):
    def ask(self, pages: dict[str, bytes]) -> list[model.Sample | model.RejectedSample]:
        with archive(pages) as (driver, self.asked):
            return list(driver.samples(["p1"], ["m1"], HOUR.start, HOUR.end))

    def test_all_pages_are_read_and_nothing_outside_the_question_is_given(self) -> None:
        inside = [builders.document(minute) for minute in range(3)]
        pages = {
            "": page([inside[0], builders.document(60)], "2"),
            "2": page([inside[1], {**inside[2], "source": None}], None),
        }
        first, second, bad = self.ask(pages)
        self.assertEqual(inside[:2], [first.document, second.document])
        self.assertIsInstance(bad, model.RejectedSample)
        self.assertEqual([["p1"], ["p1"]], [query["project"] for query in self.asked])
        self.assertEqual([HOUR.start.isoformat()], self.asked[0]["from"])

    def test_an_answer_that_is_no_page_is_an_error(self) -> None:
        for body in (b"", b"<html>", b"[]", b'{"samples": []}', b'{"next": null}', page([], None)[:-5]):
            with self.subTest(body), self.assertRaises(exceptions.TelemetryError):
                self.ask({"": body})

    def test_a_service_that_is_not_there_is_an_error(self) -> None:
        auth = token_endpoint.Token("http://127.0.0.1:1", "token")
        driver: TelemetryDriver = load("distil.telemetry", "archive")(ks_session.Session(auth=auth), None, "public")
        with self.assertRaises(exceptions.TelemetryError):
            list(driver.samples(["p1"], ["m1"], HOUR.start, HOUR.end))
