# SPDX-License-Identifier: Apache-2.0
"""How queries are sent, and which answers are accepted."""

import unittest
import urllib.parse
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.cloud.adapter import mount_adapter
from distil.cloud.response_limits import ResponseLimits
from distil.telemetry.http_client import JSONClient
from distil.telemetry.http_client import StatusError
from distil.telemetry.prometheus.api import PrometheusAPI
from distil.telemetry.prometheus.api import QueryTooLarge
from distil.telemetry.prometheus.selector import Selector
from distil.tests.support.http_server import RESET
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Request
from distil.tests.support.http_server import Response

METRIC = Selector("m")
NOTHING = {"status": "success", "data": {"resultType": "matrix", "result": []}}


def api(server: HTTPServer, posts: bool = True, **parameters: str) -> PrometheusAPI:
    client = JSONClient(adapter.Adapter(ks_session.Session(), endpoint_override=server.url), "prometheus")
    return PrometheusAPI(client, parameters, posts)


def arguments(request: Request) -> dict[str, list[str]]:
    return urllib.parse.parse_qs(request.body or urllib.parse.urlsplit(request.target).query)


class PrometheusAPITest(unittest.TestCase):
    def serve(self, *responses: Response) -> HTTPServer:
        return self.enterContext(HTTPServer(*responses))

    def ask(self, body: Any, status: int = 200) -> Any:
        return api(self.serve(Response(body, status))).samples(METRIC, 0, 60_000)

    def test_range_ends_before_end(self) -> None:
        server = self.serve(Response(NOTHING))
        for end, expected in ((3_600_000, ("m[3600s]", "3599.999")), (1500, ("m[1500ms]", "1.499"))):
            api(server).samples(METRIC, 0, end)
            self.assertEqual({"query": [expected[0]], "time": [expected[1]]}, arguments(server.requests[-1]))

    def test_parameters_are_added(self) -> None:
        server = self.serve(Response(NOTHING))
        for posts in (True, False):
            api(server, posts, dedup="true").samples(METRIC, 0, 1000)
            self.assertEqual(["true"], arguments(server.requests[-1])["dedup"])

    def test_long_query_is_posted(self) -> None:
        server = self.serve(Response(NOTHING))
        api(server).samples(METRIC, 0, 1000)
        self.assertEqual(("POST", "/api/v1/query"), server.requests[0][:2])

    def test_get_is_used_once_post_is_refused(self) -> None:
        server = self.serve(Response(status=405), Response(NOTHING))
        asking = api(server)
        for _ in range(2):
            self.assertEqual([], asking.samples(METRIC, 0, 1000))
        self.assertEqual(["POST", "GET", "GET"], [request.method for request in server.requests])

    def test_too_large_queries_are_told_apart(self) -> None:
        timed_out = {"status": "error", "errorType": "timeout", "error": "query timed out in query execution"}
        for body, status in ((b"", 422), (b"", 413), (b"", 504), (timed_out, 503)):
            with self.subTest(status), self.assertRaises(QueryTooLarge):
                self.ask(body, status)

    def test_answer_beyond_limit_is_too_large(self) -> None:
        server = self.serve(Response(b" " * 2000))
        session = ks_session.Session()
        mount_adapter(session, ResponseLimits(60, 1000))
        client = JSONClient(adapter.Adapter(session, endpoint_override=server.url), "prometheus")
        with self.assertRaisesRegex(QueryTooLarge, "m from .*larger than 1000 bytes"):
            PrometheusAPI(client, {}, True).samples(METRIC, 0, 1000)

    def test_other_failures_are_errors(self) -> None:
        for response in (Response(status=500), Response(status=503), Response(b"Unauthorized\n", 401), RESET):
            with (
                self.subTest(response),
                self.assertRaisesRegex(exceptions.TelemetryError, "m from 1970-01-01") as caught,
            ):
                api(self.serve(response)).samples(METRIC, 0, 1000)
            self.assertNotIsInstance(caught.exception, QueryTooLarge)

    def test_answers_of_other_shape_are_errors(self) -> None:
        bodies: list[Any] = [
            b"", b"<html>", [], 5, None, {}, {"status": "success"}, {"status": "success", "data": None},
            {"status": "success", "data": []}, {"status": "success", "data": {"resultType": "matrix"}},
            {"status": "success", "data": {"resultType": "vector", "result": []}},
            {"status": "error", "data": {"resultType": "matrix", "result": []}},
            {"status": "success", "data": {"resultType": "matrix", "result": {}}},
        ]  # fmt: skip
        for body in bodies:
            with self.subTest(body), self.assertRaisesRegex(exceptions.TelemetryError, "^prometheus.*/query .m from"):
                self.ask(body)

    def test_doubts_make_period_incomplete(self) -> None:
        doubts: list[dict[str, Any]] = [
            {"warnings": ["store-1 is unavailable"]},
            {"warnings": "store-1 is unavailable"},
            {"warnings": {"store-1": "is unavailable"}},
            {"infos": ["results are truncated"]},
            {"isPartial": True},
        ]
        for doubt in doubts:
            with self.subTest(doubt), self.assertRaisesRegex(exceptions.PeriodIncomplete, "unavail|truncated|partial"):
                self.ask(NOTHING | doubt)

    def test_other_notes_are_accepted(self) -> None:
        harmless: list[dict[str, Any]] = [
            {"warnings": [], "infos": None},
            {"infos": ["metric might not be a counter"]},
            {"isPartial": False},
        ]
        for notes in harmless:
            self.assertEqual([], self.ask(NOTHING | notes))

    def test_runtime_info_must_be_object(self) -> None:
        self.assertEqual({"a": 1}, api(self.serve(Response({"data": {"a": 1}}))).runtime_info())
        bodies: list[Any] = [[], {"data": None}, {}]
        for body in bodies:
            with self.subTest(body), self.assertRaisesRegex(exceptions.TelemetryError, "runtimeinfo"):
                api(self.serve(Response(body))).runtime_info()
        with self.assertRaises(StatusError):
            api(self.serve(Response(status=403))).runtime_info()
