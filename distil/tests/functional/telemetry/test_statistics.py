# SPDX-License-Identifier: Apache-2.0
"""Counts that Ceilometer's statistics do not prove, or that are too large for one response."""

import datetime
import unittest
import urllib.parse
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil import exceptions
from distil.cloud import adapter
from distil.cloud.response_limits import ResponseLimits
from distil.sandbox.cloud import Cloud
from distil.telemetry.ceilometer import CeilometerDriver
from distil.telemetry.driver import SampleCount
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Request
from distil.tests.support.http_server import Response

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def row(project_id: Any = "p1", start: str = "2026-01-01T00:00:00", samples: Any = 3.0) -> dict[str, Any]:
    return {"groupby": {"project_id": project_id}, "period_start": start, "aggregate": {"count": samples}}


class _CappingServer(HTTPServer):
    """Answers with the first rows, and to the question for a total with that of all."""

    def __init__(self, rows: int, cap: int) -> None:
        super().__init__(Response())
        self._rows = rows
        self._cap = cap

    def respond(self, request: Request) -> Response:
        if "groupby" not in urllib.parse.parse_qs(urllib.parse.urlsplit(request.target).query):
            return Response([{"groupby": None, "aggregate": {"count": float(3 * self._rows)}}])
        return Response([row(f"p{number}") for number in range(min(self._rows, self._cap))])


class StatisticsResponseTest(unittest.TestCase):
    def counts(self, server: HTTPServer) -> list[SampleCount]:
        driver = CeilometerDriver(server.session(timeout=5), None, "public")
        return list(driver.counts(["cpu"], START, START + 2 * HOUR, HOUR))

    def assert_fails(self, response: Response, expected: str) -> None:
        with HTTPServer(response) as server, self.assertRaisesRegex(exceptions.TelemetryError, expected) as caught:
            self.counts(server)
        message = str(caught.exception)
        self.assertIn("all projects, meter cpu, from 2026-01-01T00:00:00 to 2026-01-01T02:00:00", message)
        self.assertNotIn(TOKEN, message)

    def test_rows_that_were_not_asked_for_raise(self) -> None:
        answers: tuple[Any, ...] = (
            row(start="2026-01-01T00:30:00"),
            row(start="2025-12-31T23:00:00"),
            row(start="2026-01-01T02:00:00"),
            row(start="now"),
            row(project_id=7),
            row(samples="3"),
            row(samples=True),
            row(samples=-1),
            row(samples=0.5),
            row(samples=None),
            {"count": 3},
            [],
            None,
        )
        for malformed in answers:
            with self.subTest(malformed):
                self.assert_fails(Response([row(), malformed]), "malformed, or are not what was asked for")

    def test_refused_or_useless_answer_raises(self) -> None:
        fault = {"error_message": {"faultstring": "no statistics for you"}}
        for response, expected in (
            (Response(fault, status=404), "HTTP 404: no statistics for"),
            (Response(b"[", status=200), "not JSON"),
            (Response({}), "not a list"),
            (Response(b"<html>", status=503), "HTTP 503"),
        ):
            with self.subTest(expected):
                self.assert_fails(response, expected)

    def test_samples_without_project_are_left_out(self) -> None:
        with HTTPServer(Response([row(None), row()])) as server:
            self.assertEqual([SampleCount("p1", "cpu", START, 3)], self.counts(server))

    def test_capped_response_raises(self) -> None:
        for rows, cap, is_whole in ((99, 1000, True), (100, 1000, True), (101, 100, False)):
            with self.subTest(rows=rows, cap=cap), _CappingServer(rows, cap) as server:
                if is_whole:
                    self.assertEqual(rows, len(self.counts(server)))
                    continue
                with self.assertRaisesRegex(
                    exceptions.TelemetryError, "100 rows count 300 of 303 samples; does a gate"
                ):
                    self.counts(server)


class LargeStatisticsTest(unittest.TestCase):
    def test_too_large_response_is_divided(self) -> None:
        cloud = self.enterContext(Cloud(projects=20, start=START, end=START + 8 * HOUR))
        credentials: dict[str, Any] = {**cloud.auth()}
        found = []
        for size in (1024**2, 16 * 1024):
            session = ks_session.Session(auth=v3.Password(**credentials), timeout=60)
            adapter.mount_adapter(session, ResponseLimits(60, size))
            driver = CeilometerDriver(session, None, "public")
            cloud.requests.clear()
            found.append(sorted(driver.counts(["router"], START, START + 8 * HOUR, HOUR)))
            requests = cloud.requests.total("metering")
            self.assertEqual(size < 1024**2, requests > 1)
        self.assertEqual(found[0], found[1])
        self.assertEqual(8 * 22, len(found[0]))
        adapter.mount_adapter(session, ResponseLimits(60, 1024))
        with self.assertRaisesRegex(exceptions.TelemetryError, "larger than 1024 bytes"):
            list(driver.counts(["router"], START, START + 8 * HOUR, HOUR))
