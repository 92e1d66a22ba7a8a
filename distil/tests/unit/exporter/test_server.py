# SPDX-License-Identifier: Apache-2.0
"""The exporter as Prometheus sees it."""

import http.client
import unittest
from decimal import Decimal

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from distil import exceptions
from distil import model
from distil.exporter.health_page import HealthPage
from distil.exporter.pages import MetricsPage
from distil.exporter.server import Exporter
from distil.monitoring.metrics import Metrics
from distil.tests.support import snapshots

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class ExporterTest(unittest.TestCase):
    def setUp(self) -> None:
        self.metrics = Metrics({"distil": "1.2", "oslo.db": "3.4", "python-ceilometerclient": "5.6"})
        self.page = MetricsPage(self.metrics.registry, self.metrics.usage_series)
        self.exporter = Exporter({"/metrics": self.page}, "127.0.0.1", 0)
        self.exporter.start()
        self.addCleanup(self.exporter.stop)

    def request(self, method: str, path: str, accept: str = "*/*") -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.exporter.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path, headers={"Accept": accept})
        response = connection.getresponse()
        return response, response.read().decode()

    def test_text_format_exposes_documented_metrics(self) -> None:
        self.metrics.last_run_start.set(1000.5)
        self.metrics.last_run_end.set(1060.5)
        self.metrics.last_run_duration.set(60)
        self.metrics.count_usage("p1", [model.Usage("c1", "r1", "second", Decimal(3600))])
        _, body = self.request("GET", "/metrics")
        families = {family.name: family for family in text_string_to_metric_families(body)}
        expected = {
            "distil_collector_build_info": "gauge",
            "distil_collector_last_run_start": "gauge",
            "distil_collector_last_run_end": "gauge",
            "distil_collector_last_run_duration_seconds": "gauge",
            "distil_collector_usage": "counter",
        }
        self.assertEqual(expected, {name: families[name].type for name in expected})
        self.assertEqual(1000.5, families["distil_collector_last_run_start"].samples[0].value)
        (usage,) = families["distil_collector_usage"].samples
        self.assertEqual("distil_collector_usage_total", usage.name)
        self.assertEqual({"project_id": "p1", "service": "c1", "unit": "second"}, usage.labels)
        (build,) = families["distil_collector_build_info"].samples
        self.assertEqual(1, build.value)
        self.assertEqual("1.2", build.labels["version"])
        self.assertEqual("3.4", build.labels["oslo_db_version"])
        self.assertEqual("5.6", build.labels["python_ceilometerclient_version"])
        self.assertIn("python_version", build.labels)

    def test_accept_header_selects_openmetrics(self) -> None:
        self.metrics.count_usage("p1", [model.Usage("c1", "r1", "second", Decimal(1))])
        response, body = self.request("GET", "/metrics", accept=OPENMETRICS)
        self.assertIn("openmetrics", response.headers["Content-Type"])
        families = openmetrics.text_string_to_metric_families(body)  # type: ignore[no-untyped-call]
        names = {sample.name for family in families for sample in family.samples}
        self.assertIn("distil_collector_usage_total", names)
        self.assertFalse([name for name in names if name.endswith("_created")])

    def test_head_returns_no_body(self) -> None:
        response, body = self.request("HEAD", "/metrics")
        self.assertEqual((200, ""), (response.status, body))

    def test_port_in_use_raises(self) -> None:
        with self.assertRaisesRegex(
            exceptions.ConfigurationError, rf"127\.0\.0\.1:{self.exporter.port}: Address already"
        ):
            Exporter(
                {"/metrics": self.page},
                "127.0.0.1",
                self.exporter.port,
            )


class ListenTest(unittest.TestCase):
    def listen(self, host: str) -> tuple[Exporter, str]:
        exporter = Exporter({"/health": HealthPage(snapshots.rich, snapshots.clock)}, host, 0)
        with self.assertLogs("distil.exporter", "DEBUG") as logs:
            exporter.start()
            self.addCleanup(exporter.stop)
            self.status(logs.output[-1].partition("http://")[2])
        return exporter, "\n".join(logs.output)

    def status(self, address: str) -> int:
        connection = http.client.HTTPConnection(address, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/health")
        return connection.getresponse().status

    def test_localhost_is_both_loopback_addresses(self) -> None:
        for host in ("localhost", "LOCALHOST"):
            exporter, _ = self.listen(host)
            for address in ("127.0.0.1", "[::1]"):
                self.assertEqual(200, self.status(f"{address}:{exporter.port}"))

    def test_ipv6_address_is_logged_in_brackets(self) -> None:
        exporter, logged = self.listen("::1")
        self.assertIn(f"listening on http://[::1]:{exporter.port}", logged)
        self.assertRegex(logged, r"DEBUG:distil.exporter.handler:\[::1\]:\d+: ")

    def test_ipv6_port_in_use_is_in_brackets(self) -> None:
        exporter, _ = self.listen("::1")
        for host in ("::1", "localhost"):
            with self.assertRaisesRegex(exceptions.ConfigurationError, rf"\[::1\]:{exporter.port}: Address already"):
                Exporter({}, host, exporter.port)
