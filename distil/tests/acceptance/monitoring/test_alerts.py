# SPDX-License-Identifier: Apache-2.0
"""The alerts match what a real collector exports when something fails."""

import unittest

from distil.tests.support.monitoring import monitor
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


class AlertsTest(unittest.TestCase):
    """Most alerts fire after hours only, so that these tests accept pending alerts."""

    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=2, resources=1))
        port = free_port()
        self.site.configure(
            enable_exporter=True,
            exporter_host="127.0.0.1",
            exporter_port=port,
            max_windows_per_cycle=1,
            periodic_interval=5,
        )
        self.prometheus = monitor(port)
        self.addCleanup(self.prometheus.stop)
        self.collector = self.site.collector()
        wait_for(lambda: self.prometheus.query("up == 1"))

    def wait_for_alert(self, name: str, **labels: str) -> None:
        matchers = ", ".join(f'{label}="{value}"' for label, value in {"alertname": name, **labels}.items())
        wait_for(lambda: self.prometheus.query(f"ALERTS{{{matchers}}}"), 90)

    def test_telemetry_failure_raises_alerts(self) -> None:
        self.site.cloud.add_fault("metering", "status", status=503)
        self.wait_for_alert("DistilProjectsFailing", state="failed")
        self.wait_for_alert("DistilRequestsFail", service="metering")
        self.wait_for_alert("DistilRunsFail", alertstate="firing")

    def test_vanished_projects_raise_alerts(self) -> None:
        wait_for(lambda: self.prometheus.query("distil_collector_projects_in_scope > 0"))
        self.site.cloud.add_fault("identity", "not_a_list", path="/projects", body='{"projects": []}')
        self.wait_for_alert("DistilNoProjects")
        self.wait_for_alert("DistilRunsFail", alertstate="firing")

    def test_keystone_failure_raises_alert(self) -> None:
        self.site.cloud.add_fault("identity", "status", status=503)
        self.wait_for_alert("DistilRunsFail", alertstate="firing")

    def test_rejected_sample_raises_alert(self) -> None:
        project_id = self.site.cloud.projects.enabled_ids[0]
        in_the_third_window = (self.site.start + 2 * HOUR).isoformat()
        sample = self.site.sample(project_id, "network", volume="much", timestamp=in_the_third_window)
        self.site.cloud.add_samples(project_id, "network", [sample])
        self.wait_for_alert("DistilSamplesRejected", alertstate="firing", reason="volume")

    def test_terminated_collector_raises_alert(self) -> None:
        self.collector.terminate()
        self.wait_for_alert("DistilCollectorDown")
