# SPDX-License-Identifier: Apache-2.0
"""The driver's handling of errors and malformed responses."""

import datetime
import json
import math
import unittest
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from distil import exceptions
from distil import model
from distil.telemetry import ceilometer
from distil.tests.support.cloud_server import REGION
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import RESET
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Response

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = START + datetime.timedelta(hours=1)
FAULT = b'{"error_message": {"faultcode": "Client", "faultstring": "Limit must be positive", "debuginfo": null}}'


def row(second: int, **changes: Any) -> dict[str, Any]:
    document = {"project_id": "p1", "meter": "cpu", "resource_id": f"r{second}", "volume": 1.0, "unit": "%"}
    document |= {"timestamp": f"2026-01-01T00:00:{second:02d}", "source": "openstack", "metadata": {}}
    return document | changes


def rows(*documents: dict[str, Any]) -> Response:
    return Response(json.dumps(documents).encode())


def known_driver(server: HTTPServer, timeout: float = 5, **options: Any) -> ceilometer.CeilometerDriver:
    """A driver that knows that a response may have many rows, so that it sends no request of its own."""
    driver = ceilometer.CeilometerDriver(server.session(timeout=timeout), None, "public", **options)
    for request in (driver._complex_request, driver._simple_request):
        request.capacity.record(1_000)
    return driver


def read_samples(
    server: HTTPServer, projects: tuple[str, ...] = ("p1",), meters: tuple[str, ...] = ("cpu",), **options: Any
) -> list[model.Sample | model.RejectedSample]:
    driver = known_driver(server, timeout=0.5, **options)
    return list(driver.samples(projects, meters, START, END))


class CeilometerResponseTest(unittest.TestCase):
    def assert_fails(self, response: Response, expected: str) -> None:
        with HTTPServer(response) as server, self.assertRaisesRegex(exceptions.TelemetryError, expected) as caught:
            read_samples(server)
        message = str(caught.exception)
        self.assertIn("project p1, meter cpu, from 2026-01-01T00:00:00 to 2026-01-01T01:00:00", message)
        self.assertNotIn(TOKEN, message)

    def test_non_list_body_raises(self) -> None:
        for body in (b"null", b"{}", b'""', b"0", b"false", b'{"samples": []}'):
            with self.subTest(body=body):
                self.assert_fails(Response(body), "not a list")

    def test_invalid_json_raises(self) -> None:
        for body in (b"<html>Log in</html>", b" ", b"[{", b"\xff\xfe[", b'["\xff"]'):
            with self.subTest(body=body[:20]):
                self.assert_fails(Response(body), "not JSON")

    def test_deeply_nested_body_raises(self) -> None:
        self.assert_fails(Response(b"[" * 200_000), "the response is not JSON")

    def test_empty_body_raises(self) -> None:
        self.assert_fails(Response(b""), "an empty body")

    def test_incomplete_body_raises(self) -> None:
        self.assert_fails(Response(b"[]", length=100), "POST /v2/query/samples")

    def test_truncated_json_raises(self) -> None:
        self.assert_fails(Response(rows(row(1), row(2)).body[:-1]), "not JSON")

    def test_other_success_status_raises(self) -> None:
        for status in (201, 202, 203, 206):
            with self.subTest(status=status):
                self.assert_fails(Response(b"[]", status=status), f"HTTP {status}")

    def test_error_reports_status_and_fault(self) -> None:
        self.assert_fails(Response(FAULT, status=400), "HTTP 400: Limit must be positive$")

    def test_error_page_reports_status_and_excerpt(self) -> None:
        for status in (400, 401, 410, 429, 500, 502, 503, 504):
            with self.subTest(status=status):
                self.assert_fails(
                    Response(b"<h1>Sorry</h1>" * 99, status=status), f"{status}: <h1>Sorry</h1>.{{1,200}}$"
                )

    def test_connection_reset_raises(self) -> None:
        self.assert_fails(RESET, "POST /v2/query/samples")

    def test_response_timeout_raises(self) -> None:
        self.assert_fails(Response(b"[]", delay=1), "(?i)timed out")

    def test_connection_refused_raises(self) -> None:
        server = HTTPServer()
        server.server_close()
        with self.assertRaises(exceptions.TelemetryError) as caught:
            read_samples(server)
        self.assertIsNotNone(caught.exception.__cause__)

    def test_missing_endpoint_names_region_and_interface(self) -> None:
        session = ks_session.Session(auth=token_endpoint.Token(None, TOKEN))
        driver = ceilometer.CeilometerDriver(session, "Wellington", "internal")
        with self.assertRaisesRegex(exceptions.TelemetryError, "internal endpoint .* metering .* region Wellington"):
            list(driver.samples(["p1"], ["cpu"], START, END))

    def test_missing_endpoint_affects_all_until_repaired(self) -> None:
        with CloudServer({"/metering/v2/query/samples": Response(FAULT, status=500)}, endpoints={}) as cloud:
            driver = ceilometer.CeilometerDriver(cloud.session(), REGION, "public")
            with self.assertRaises(exceptions.TelemetryError) as caught:
                driver.require_answer()
            self.assertTrue(caught.exception.affects_all)
            cloud.set_endpoints({"metering": "/metering"})
            self.assertRaisesRegex(exceptions.TelemetryError, "HTTP 500", driver.require_answer)

    def test_answer_is_required_as_for_samples(self) -> None:
        refused = Response(FAULT, status=403)
        for responses, target in (((rows(),), "/v2/query/samples"), ((refused, rows()), "/v2/samples")):
            with self.subTest(target), HTTPServer(*responses) as server:
                ceilometer.CeilometerDriver(server.session(), None, "public").require_answer()
                self.assertEqual(target, server.requests[-1].target.partition("?")[0])
        for response in (Response(FAULT, status=500), RESET):
            with self.subTest(response), HTTPServer(response) as server:
                driver = ceilometer.CeilometerDriver(server.session(), None, "public")
                self.assertRaises(exceptions.TelemetryError, driver.require_answer)

    def test_answer_depends_on_no_sample(self) -> None:
        """A sample that makes the service fail is its project's failure, and not everybody's."""
        with HTTPServer(rows(), Response(FAULT, status=500)) as server:
            ceilometer.CeilometerDriver(server.session(), None, "public").require_answer()

    def test_oversized_number_affects_only_its_sample(self) -> None:
        body = rows(row(1, volume="DIGITS"), row(2)).body.replace(b'"DIGITS"', b"9" * 5000)
        with HTTPServer(Response(body)) as server:
            huge, other = read_samples(server)
        self.assertEqual(math.inf, huge.volume)  # type: ignore[union-attr]
        self.assertEqual(1.0, other.volume)  # type: ignore[union-attr]


class SampleQueryTest(unittest.TestCase):
    def test_unrequested_samples_are_dropped_with_warning(self) -> None:
        unrequested = (row(1, project_id="p2"), row(2, meter="disk"), row(3, timestamp="2026-01-01T01:00:00"))
        with HTTPServer(rows(*unrequested, row(4))) as server, self.assertLogs("distil.telemetry", "WARNING") as logs:
            samples = read_samples(server)
        self.assertEqual(["r4"], [sample.resource_id for sample in samples])
        self.assertEqual(1, len(logs.output))
        self.assertIn("3 samples outside of the query, which are ignored: project p1, meter cpu", logs.output[0])

    def test_nothing_but_unrequested_samples_raises(self) -> None:
        for unrequested in ({"project_id": "p2"}, {"timestamp": "2025-12-31T23:59:59"}):
            with (
                self.subTest(unrequested),
                HTTPServer(rows(row(1, **unrequested), row(2, **unrequested))) as server,
                self.assertRaisesRegex(
                    exceptions.TelemetryError, "p1.*none of the 2 samples in a response was requested"
                ),
            ):
                read_samples(server)

    def test_unordered_full_page_raises(self) -> None:
        with (
            HTTPServer(rows(row(1), row(2))) as server,
            self.assertRaisesRegex(exceptions.TelemetryError, "project p1.* not ordered"),
        ):
            read_samples(server, page_size=2)

    def test_empty_query_sends_no_request(self) -> None:
        with HTTPServer(rows(row(1))) as server:
            self.assertEqual([], read_samples(server, projects=()))
            self.assertEqual([], read_samples(server, meters=()))
            self.assertEqual([], server.requests)


class UnsupportedQueryTest(unittest.TestCase):
    def test_falls_back_to_single_queries(self) -> None:
        for status in (403, 404, 405, 501):
            responses = (Response(status=status), rows(row(1)), rows(), rows(row(2, project_id="p2")), rows())
            with self.subTest(status=status), HTTPServer(*responses) as server:
                samples = read_samples(server, projects=("p1", "p2"), meters=("cpu", "disk"))
                self.assertEqual(["r1", "r2"], [sample.resource_id for sample in samples])
                self.assertEqual(["POST"] + 4 * ["GET"], [request.method for request in server.requests])

    def test_refusal_is_remembered(self) -> None:
        with HTTPServer(Response(status=403), rows()) as server:
            driver = known_driver(server)
            for _ in range(2):
                list(driver.samples(["p1"], ["cpu"], START, END))
        self.assertEqual(["POST", "GET", "GET"], [request.method for request in server.requests])

    def test_single_query_is_paginated(self) -> None:
        responses = (Response(status=403), rows(row(3), row(2)), rows(row(2), row(1)), rows(row(1)))
        with HTTPServer(*responses) as server:
            samples = read_samples(server, page_size=2)
        self.assertEqual(["r3", "r2", "r1"], [sample.resource_id for sample in samples])
        self.assertIn("q.value=2026-01-01T00%3A00%3A03", server.requests[-2].target)

    def test_refused_fallback_raises(self) -> None:
        with HTTPServer(Response(FAULT, status=404)) as server:
            self.assertRaisesRegex(exceptions.TelemetryError, "GET /v2/samples .*404", read_samples, server)
        self.assertEqual(["POST", "GET"], [request.method for request in server.requests])

    def test_refusal_mid_pagination_raises(self) -> None:
        with HTTPServer(rows(row(3), row(2)), Response(status=403)) as server:
            self.assertRaisesRegex(exceptions.TelemetryError, "POST .*403", read_samples, server, page_size=2)
        self.assertEqual(["POST", "POST"], [request.method for request in server.requests])

    def test_other_errors_raise_without_fallback(self) -> None:
        for status in (400, 401, 410, 500, 503):
            with self.subTest(status=status), HTTPServer(Response(status=status)) as server:
                self.assertRaises(exceptions.TelemetryError, read_samples, server)
                self.assertEqual({"POST"}, {request.method for request in server.requests})
