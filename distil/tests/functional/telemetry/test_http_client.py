# SPDX-License-Identifier: Apache-2.0
"""What requests to telemetry services say when they fail. How they fail is tested with Ceilometer's client."""

import math
import unittest
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import redaction
from distil.telemetry.http_client import JSONClient
from distil.telemetry.http_client import StatusError
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Response


def request(response: Response) -> Any:
    with HTTPServer(response) as server:
        return JSONClient(adapter.Adapter(server.session(), service_type="metric"), "metric").request(
            "GET", "/v1/x", "a question"
        )


class JSONClientTest(unittest.TestCase):
    def assert_says(self, expected: str, body: Any) -> None:
        with self.assertRaises(StatusError) as caught:
            request(Response(body, status=422))
        self.assertEqual(f"metric GET /v1/x (a question): HTTP 422: {expected}", str(caught.exception))
        self.assertEqual(422, caught.exception.status)

    def test_faults_are_read_in_each_service_form(self) -> None:
        self.assert_says("Limit must be positive", {"error_message": {"faultstring": "Limit must be positive"}})
        self.assert_says("Metric does not exist", {"code": 404, "description": "Metric does not exist"})
        self.assert_says('{"cause": "x", "detail": [1]}', {"description": {"cause": "x", "detail": [1]}})
        self.assert_says("too many samples", {"status": "error", "errorType": "execution", "error": "too many samples"})
        self.assert_says("Log in first", {"error": {"code": 401, "message": "Log in first"}})

    def test_other_faults_are_shown_as_sent(self) -> None:
        for body in (b"<h1>Sorry</h1>", b'{"description": ""}', b"[1, 2]", b'{"error": 5}', b"7"):
            with self.subTest(body):
                self.assert_says(body.decode(), body)
        self.assert_says("an empty body", b"")

    def test_secrets_in_faults_are_redacted(self) -> None:
        redaction.remember([TOKEN])
        self.assert_says("*** is unknown", {"description": f"{TOKEN} is unknown"})

    def test_failure_carries_its_document(self) -> None:
        with self.assertRaises(StatusError) as caught:
            request(Response({"description": [1]}, status=404))
        self.assertEqual({"description": [1]}, caught.exception.document)

    def test_values_that_are_not_json_are_accepted(self) -> None:
        self.assertEqual([-math.inf, "\ud800"], request(Response(b'[-Infinity, "\\ud800"]')))
        self.assertTrue(math.isnan(request(Response(b"NaN"))))

    def test_session_without_keystone_needs_url(self) -> None:
        with HTTPServer(Response({"status": "success"})) as server:
            client = JSONClient(adapter.Adapter(ks_session.Session(), endpoint_override=server.url), "prometheus")
            self.assertEqual({"status": "success"}, client.request("GET", "/api/v1/query", "up"))
        client = JSONClient(adapter.Adapter(ks_session.Session(), service_type="metric"), "metric")
        with self.assertRaises(exceptions.TelemetryError):
            client.request("GET", "/v1", "anything")
