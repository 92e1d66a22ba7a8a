# SPDX-License-Identifier: Apache-2.0
"""Tests of which requests a fault affects."""

import unittest

from distil.sandbox.data import ids
from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.response_fault import ResponseFault

SEED = 0
FIRST, SECOND = ids.project_id(SEED, 0), ids.project_id(SEED, 1)


def _next_kind(faults: FaultInjector, service: str = "metering", path: str = "/v2/samples", query: str = "") -> str:
    active = faults.next_fault(service, HTTPRequest("GET", path, query, {}, b""))
    return "none" if active is None else active.fault.kind


class FaultInjectorTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.faults = FaultInjector(SEED, {})

    def test_fault_matches_service_path_and_project(self) -> None:
        self.faults.add(ResponseFault("metering", "html", path="samples$", project_id=FIRST))
        self.assertEqual("html", _next_kind(self.faults, query=f"a={FIRST}&b={SECOND}"))
        self.assertEqual("html", _next_kind(self.faults, query=f"a={ids.resource_id(SEED, 'volume', 0, 1)}"))
        self.assertEqual("none", _next_kind(self.faults, service="compute", query=FIRST))
        self.assertEqual("none", _next_kind(self.faults, path="/v2/meters", query=FIRST))
        self.assertEqual("none", _next_kind(self.faults, query=SECOND))

    def test_missing_data_concerns_every_request(self) -> None:
        self.faults.add(ResponseFault("metric", "unprocessed", project_id=FIRST))
        self.assertEqual("unprocessed", _next_kind(self.faults, "metric", "/v1/status"))
        self.faults.clear()
        self.faults.add(ResponseFault("metric", "unprivileged", project_id=FIRST))
        self.assertEqual("none", _next_kind(self.faults, "metric", "/v1/status"))

    def test_exhausted_fault_yields_to_next(self) -> None:
        self.faults.add(ResponseFault("metering", "html", times=2))
        self.faults.add(ResponseFault("metering", "empty", times=1))
        self.assertEqual(["html", "html", "empty", "none"], [_next_kind(self.faults) for _ in range(4)])

    def test_faults_can_be_cleared(self) -> None:
        number = self.faults.add(ResponseFault("metering", "html"))
        self.faults.add(ResponseFault("metering", "empty"))
        self.faults.clear(number)
        self.assertEqual("empty", _next_kind(self.faults))
        self.faults.clear()
        self.assertEqual("none", _next_kind(self.faults))


class ResponseFaultTest(unittest.TestCase):
    def test_invalid_fault_raises(self) -> None:
        for service, kind, path in (("telemetry", "html", None), ("metering", "fire", None), ("metering", "html", "(")):
            with self.assertRaises(ValueError):
                ResponseFault(service, kind, path=path)
        for service, kind in (
            ("metering", "slow"),
            ("metering", "hole"),
            ("metering", "warnings"),
            ("prometheus", "hole"),
        ):
            with self.subTest(service=service, kind=kind), self.assertRaises(ValueError):
                ResponseFault(service, kind)
