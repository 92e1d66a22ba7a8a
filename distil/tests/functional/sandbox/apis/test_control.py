# SPDX-License-Identifier: Apache-2.0
"""Tests of the API that controls the sandbox, and of ``distil-sandbox serve``."""

import configparser
import pathlib
import signal
import subprocess
import sys
import unittest
from typing import Any

import requests
from keystoneauth1 import loading
from keystoneauth1 import session as ks_session

from distil.tests.support import sandbox


class ControlTest(sandbox.SandboxTestCase):
    def _request(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.cloud.url}/sandbox{path}", json=body, timeout=30)

    def _samples(self, meter: str = "router") -> Any:
        params = {"q.field": ["project_id", "meter"], "q.value": [self.project_id, meter], "limit": 1000}
        return self.metering("/v2/samples", params=params)

    def test_faults_are_added_and_removed(self) -> None:
        created = self._request("POST", "/faults", {"service": "metering", "kind": "status", "status": 500})
        self.assertEqual(201, created.status_code)
        self.assertEqual(500, self._samples().status_code)
        (described,) = self._request("GET", "/faults").json()["faults"]
        self.assertEqual((created.json()["id"], 1), (described["id"], described["hits"]))
        self.assertEqual(204, self._request("DELETE", f"/faults/{created.json()['id']}").status_code)
        self.assertEqual(200, self._samples().status_code)

    def test_invalid_requests_return_400(self) -> None:
        invalid: tuple[tuple[str, Any], ...] = (
            ("/faults", {"service": "metering", "kind": "fire"}),
            ("/faults", {"service": "metering", "kind": "html", "colour": "red"}),
            ("/faults", []),
            ("/latency", {"telemetry": 1}),
            ("/samples", {"project_id": "a"}),
        )
        for path, body in invalid:
            self.assertEqual(400, self._request("POST", path, body).status_code, (path, body))
        self.assertEqual(200, self._samples().status_code)

    def test_projects_are_changed_and_deleted(self) -> None:
        path = f"/projects/{self.project_id}"
        url = f"{self.cloud.auth_url}{path}"
        self.assertEqual(204, self._request("PUT", path, {"enabled": False}).status_code)
        self.assertFalse(self.session.get(url).json()["project"]["enabled"])
        self.assertEqual(204, self._request("DELETE", path).status_code)
        self.assertEqual(404, self.session.get(url, raise_exc=False).status_code)
        listed = self.session.get(f"{self.cloud.auth_url}/projects").json()["projects"]
        self.assertNotIn(self.project_id, [project["id"] for project in listed])
        self._request("PUT", path, {})
        self.assertTrue(self.session.get(url).json()["project"]["enabled"])
        self.assertEqual(400, self._request("PUT", path, 7).status_code)
        self.assertEqual(72, len(self._samples().json()))

    def test_added_samples_extend_or_replace_synthetic(self) -> None:
        sample = {"timestamp": "2026-01-01T01:00:00", "volume": None, "resource_id": "mine"}
        body = {"project_id": self.project_id, "meter": "router", "samples": [sample]}
        self.assertEqual(72, len(self._samples().json()))
        self._request("POST", "/samples", body)
        self.assertEqual(73, len(self._samples().json()))
        self._request("POST", "/samples", body | {"replace": True})
        self.assertEqual([sample], self._samples().json())
        self._request("DELETE", "/samples")
        self.assertEqual(72, len(self._samples().json()))

    def test_malformed_samples_are_served_unchanged(self) -> None:
        malformed: list[Any] = [None, "text", [], {"volume": float("nan")}, {"metadata": None, "source": None}]
        self.cloud.add_samples(self.project_id, "router", malformed, replace=True)
        self.assertIn("NaN", self._samples().text)
        found = [repr(sample) for sample in self._samples().json()]
        self.assertCountEqual([repr(sample) for sample in malformed], found)

    def test_time_queries_match_added_samples(self) -> None:
        self.cloud.add_samples(self.project_id, "router", ["bad"], at="2026-01-01T01:00:00", replace=True)
        for operator, found in (("ge", ["bad"]), ("gt", [])):
            params = {
                "q.field": ["meter", "project_id", "timestamp"],
                "q.op": ["eq", "eq", operator],
                "q.value": ["router", self.project_id, "2026-01-01T01:00:00"],
            }
            self.assertEqual(found, self.metering("/v2/samples", params=params).json(), operator)

    def test_requests_are_counted_by_kind(self) -> None:
        self._samples()
        self._request("DELETE", "/requests")
        self._samples("router")
        self._samples("network")
        expected = [{"service": "metering", "method": "GET", "path": "/v2/samples", "count": 2}]
        self.assertEqual(expected, self._request("GET", "/requests").json()["requests"])
        self.assertEqual(2, self.cloud.requests.total("metering"))

    def test_revoked_token_returns_401(self) -> None:
        headers = {"X-Auth-Token": self.session.get_token() or ""}
        url = f"{self.cloud.url}/metering/v2/samples"
        self.assertEqual(200, requests.get(url, headers=headers, timeout=30).status_code)
        self._request("DELETE", "/tokens")
        self.assertEqual(401, requests.get(url, headers=headers, timeout=30).status_code)


class ServeCommandTest(unittest.TestCase):
    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "distil.sandbox", "serve", "--projects", "3", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_prints_credentials_and_exits_on_sigterm(self) -> None:
        process = self.start("--latency", "metering=0.01")
        assert process.stdout is not None
        conf = configparser.RawConfigParser()
        conf.read_string("".join(process.stdout.readline() for _ in range(10)))
        options = dict(conf["keystone_authtoken"])
        self.assertEqual("RegionOne", options.pop("region_name"))
        loader: Any = loading.get_plugin_loader(options.pop("auth_type"))
        session = ks_session.Session(auth=loader.load_from_options(**options), timeout=30)
        self.addCleanup(session.session.close)
        self.assertEqual(5, len(session.get(f"{options['auth_url']}/projects").json()["projects"]))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(timeout=10))

    def test_prints_sections_of_telemetry_service(self) -> None:
        expected = {"gnocchi": {"meters_file"}, "prometheus": {"meters_file", "url"}, "aetos": {"meters_file"}}
        for telemetry, options in expected.items():
            with self.subTest(telemetry=telemetry):
                process = self.start("--telemetry", telemetry)
                assert process.stdout is not None
                address = process.stdout.readline()
                process.send_signal(signal.SIGTERM)
                conf = configparser.RawConfigParser()
                conf.read_string(process.stdout.read())
                driver = conf["collector"]["collector_backend"]
                self.assertEqual("prometheus" if telemetry == "aetos" else telemetry, driver)
                self.assertEqual(options, {*conf[driver]} - {"lag", "source"})
                self.assertTrue(pathlib.Path(conf[driver]["meters_file"]).is_file())
                self.assertTrue(address.startswith("# http"))
