# SPDX-License-Identifier: Apache-2.0
"""Tests of injected faults as a client sees them."""

import time
from typing import Any

import requests
from keystoneauth1 import exceptions as ks_exceptions

from distil.sandbox.cloud import Cloud
from distil.tests.support import sandbox


class FaultsTest(sandbox.SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session.get_token()

    def _samples(self, timeout: float = 30) -> Any:
        return self.metering("/v2/samples", connect_retries=0, timeout=timeout)

    def test_status_fault_returns_service_error(self) -> None:
        self.cloud.add_fault("metering", "status", status=503, times=1)
        response = self._samples()
        self.assertEqual(503, response.status_code)
        self.assertIn("faultstring", response.json()["error_message"])
        self.assertEqual(200, self._samples().status_code)

    def test_proxy_returns_status_in_html(self) -> None:
        for status in (404, 502):
            with self.subTest(status=status):
                self.cloud.add_fault("object-store", "proxy", status=status, times=1)
                response = self.session.get(f"{self.cloud.url}/object-store/v1/AUTH_p", raise_exc=False)
                self.assertEqual((status, None), (response.status_code, response.headers.get("X-Trans-Id")))
                self.assertIn("<h1>", response.text)

    def test_html_and_empty_bodies_return_200(self) -> None:
        for kind, start in (("html", "<!DOCTYPE html>"), ("empty", "")):
            self.cloud.add_fault("metering", kind, times=1)
            response = self._samples()
            self.assertEqual(200, response.status_code)
            self.assertEqual(start, response.text[:15])

    def test_truncated_body_raises_incomplete_read(self) -> None:
        self.cloud.add_fault("metering", "truncated", times=1)
        with self.assertRaisesRegex(ks_exceptions.UnknownConnectionError, "IncompleteRead"):
            self._samples()

    def test_cut_body_is_invalid_json(self) -> None:
        self.cloud.add_fault("metering", "cut", times=1)
        response = self._samples()
        self.assertEqual(200, response.status_code)
        with self.assertRaises(ValueError):
            response.json()

    def test_reset_raises_connect_failure(self) -> None:
        self.cloud.add_fault("metering", "reset", times=1)
        with self.assertRaisesRegex(ks_exceptions.ConnectFailure, "reset by peer"):
            self._samples()

    def test_timeout_fault_times_out_client(self) -> None:
        self.cloud.add_fault("metering", "timeout")
        with self.assertRaises(ks_exceptions.ConnectTimeout):
            self._samples(timeout=0.3)

    def test_timeout_fault_ends_after_duration(self) -> None:
        self.cloud.add_fault("metering", "timeout", seconds=0.2)
        with self.assertRaises(ks_exceptions.ConnectFailure):
            self._samples()

    def test_slow_answer_is_unchanged(self) -> None:
        expected = self._samples().json()
        self.cloud.add_fault("metering", "slow", seconds=0.4, times=1)
        started = time.monotonic()
        self.assertEqual(expected, self._samples().json())
        self.assertLess(0.3, time.monotonic() - started)

    def test_non_list_fault_returns_given_body(self) -> None:
        for body in ("{}", "null"):
            self.cloud.add_fault("metering", "not_a_list", body=body, times=1)
            self.assertEqual(body, self._samples().text)

    def test_capped_list_keeps_first_rows(self) -> None:
        expected = self._samples().json()[:3]
        self.cloud.add_fault("metering", "capped", rows=3, times=1)
        self.assertEqual(expected, self._samples().json())
        self.cloud.add_fault("identity", "capped", rows=2)
        self.assertEqual(2, len(self.session.get(f"{self.cloud.auth_url}/projects").json()["projects"]))

    def test_faults_affect_only_matching_requests(self) -> None:
        other = self.cloud.projects.enabled_ids[1]
        self.cloud.add_fault("metering", "status", status=500, project_id=self.project_id)
        for project, status in ((self.project_id, 500), (other, 200)):
            params = {"q.field": "project_id", "q.value": project}
            self.assertEqual(status, self.metering("/v2/samples", params=params).status_code)
        self.assertEqual(200, self.session.get(f"{self.cloud.url}/compute/v2.1/flavors/42").status_code)

    def test_latency_delays_answer(self) -> None:
        self.cloud.faults.set_latency("metering", 0.3)
        started = time.monotonic()
        self._samples()
        self.assertLess(0.3, time.monotonic() - started)


class CloudShutdownTest(sandbox.SandboxTestCase):
    def test_open_connections_are_closed(self) -> None:
        other = Cloud(projects=1)
        with other:
            client = requests.Session()
            self.addCleanup(client.close)
            url = f"{other.url}/metering/"
            self.assertEqual(200, client.get(url, timeout=5).status_code)
        with self.assertRaises(requests.exceptions.ConnectionError):
            client.get(url, timeout=5)
