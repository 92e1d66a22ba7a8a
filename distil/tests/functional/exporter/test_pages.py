# SPDX-License-Identifier: Apache-2.0
"""The status page and the health check of a real collector."""

import html
import json
import unittest
import urllib.error
import urllib.request
from typing import Any

from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site


class ExporterResourcesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.port = free_port()
        self.log = self.site.folder / "collector.log"

    def get(self, path: str, accept: str = "*/*") -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as response:
            text: str = response.read().decode()
        return text

    def collect(self, **options: Any) -> None:
        address: dict[str, Any] = {"exporter_host": "127.0.0.1", "exporter_port": self.port}
        self.site.configure({"timeout": 5}, enable_exporter=True, **address, **options)
        self.site.collector("--log-file", str(self.log))

    def unhealthy_reason(self) -> str:
        """Returns why the collector is unhealthy; empty if it is healthy or does not respond yet."""
        try:
            self.get("/health")
        except urllib.error.HTTPError as error:
            self.assertEqual(503, error.code)
            return error.read().decode()
        except OSError:
            pass
        return ""

    def test_healthy_collector_shows_name_and_version(self) -> None:
        self.collect()
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end"))
        self.assertIn("Distil Collector <bdi>default</bdi>", self.get("/"))
        self.assertEqual("OK", self.get("/health"))
        health = json.loads(self.get("/health", "application/json"))
        self.assertEqual(("default", True, ["OK"]), (health["name"], health["healthy"], health["reasons"]))
        self.assertIn(f"Version {health['details']['version']}", self.get("/"))

    def test_failed_run_is_unhealthy_until_success(self) -> None:
        fault = self.site.cloud.add_fault("identity", "status", path="/v3/projects", status=503)
        self.collect(periodic_interval=1)
        wait_for(self.unhealthy_reason)
        self.assertIn("identity GET /projects: HTTP 503", self.unhealthy_reason())
        self.assertIn('<td class="outcome failed">', self.get("/"))
        self.site.cloud.faults.clear(fault)
        wait_for(lambda: not self.unhealthy_reason())

    def test_failing_telemetry_is_unhealthy_at_once(self) -> None:
        fault = self.site.cloud.add_fault("metering", "status", status=503)
        self.collect(periodic_interval=5)
        wait_for(self.unhealthy_reason, 60)
        number = len(self.site.cloud.projects.enabled_ids) + 1
        self.assertRegex(
            self.unhealthy_reason(),
            rf"failed: no window was committed, and \d+ windows are still due; {number} of {number} projects failed"
            ".*metering.*HTTP 503",
        )
        values = metrics(self.port)
        self.assertEqual(0, values["distil_collector_last_run_end"])
        self.assertEqual(number, values["distil_collector_projects_in_scope"])
        self.site.cloud.faults.clear(fault)
        wait_for(lambda: not self.unhealthy_reason(), 60)

    def test_empty_scope_is_unhealthy_until_filled(self) -> None:
        self.site.cloud.add_fault("identity", "not_a_list", path="/v3/projects", body='{"projects": []}')
        self.collect(periodic_interval=1)
        wait_for(self.unhealthy_reason)
        self.assertIn("no project is in the scope of collector default; Keystone has 0", self.unhealthy_reason())
        self.assertEqual(0, metrics(self.port)["distil_collector_projects_in_scope"])
        self.site.cloud.faults.clear()
        wait_for(lambda: not self.unhealthy_reason())

    def test_paused_collector_is_healthy_and_collects_nothing(self) -> None:
        self.collect(max_windows_per_cycle=0)
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end"))
        self.assertRegex(self.get("/health"), "^Paused: max_windows_per_cycle is 0")
        self.assertIn('<h2 id="health">Paused</h2>', self.get("/"))
        self.assertIn('distil_collector_runs_total{outcome="paused"} 1.0', self.get("/metrics"))
        self.assertEqual({self.site.start}, set(self.site.last_collected().values()))
        self.assertIn("Run of collector default finished (paused): ", self.log.read_text())

    def test_unmatched_scope_entry_is_told_everywhere(self) -> None:
        self.collect(ignore_domains="internalz", ignore_projects="no-such")
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end"))
        for line in (
            "domain 'internalz' of ignore_domains does not exist in Keystone; the entry ignores no project",
            "'no-such' of ignore_projects matches no enabled project name or ID; the entry ignores no project",
        ):
            self.assertIn(f"Scope: {line}.\n", f"{self.get('/health')}\n")
            self.assertIn(html.escape(line, quote=True).replace("&#x27;", "&#39;"), self.get("/"))
            self.assertIn(line, self.log.read_text())
        self.assertEqual(2, metrics(self.port)["distil_collector_scope_entries_unmatched"])

    def test_partial_failures_are_listed_while_healthy(self) -> None:
        rejecting, failing = self.site.cloud.projects.enabled_ids[:2]
        sample = self.site.sample(rejecting, "network", volume="much")
        self.site.cloud.add_samples(rejecting, "network", [sample], at=self.site.start.isoformat())
        self.site.cloud.add_fault("metering", "status", project_id=failing, status=503)
        self.collect()
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end"))
        details = json.loads(self.get("/health", "application/json"))["details"]
        self.assertEqual([failing], [project["project_id"] for project in details["failed"]])
        page = self.get("/")
        self.assertIn("HTTP 503", page)
        self.assertIn("volume &#39;much&#39; is not a number", page)
