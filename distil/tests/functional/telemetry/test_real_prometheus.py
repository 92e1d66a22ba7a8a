# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus answers as the driver expects, and the driver reads from it."""

import datetime
import pathlib
import tempfile
import unittest
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from keystoneauth1 import noauth
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.tests.support import prometheus_driver_scenario
from distil.tests.support import prometheus_report_scenario
from distil.tests.support import prometheus_scenario
from distil.tests.support.certificates import Authority
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Response
from distil.tests.support.processes import wait_for
from distil.tests.support.prometheus_driver import make_driver
from distil.tests.support.prometheus_scenario import START
from distil.tests.support.real import prometheus
from distil.tests.support.real.prometheus import Prometheus
from distil.tests.support.real.prometheus import Series


class RealPrometheusCase(prometheus_scenario.PrometheusCase):
    server: ClassVar[Prometheus]
    max_samples = prometheus.MAX_SAMPLES

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = prometheus.shared()
        cls.session = ks_session.Session(auth=noauth.NoAuth(cls.server.url), timeout=60)

    @classmethod
    def add_series(cls, *series: Series) -> None:
        cls.server.add(*series)


class RealPrometheusApiTest(RealPrometheusCase, prometheus_scenario.PrometheusScenario):
    pass


class RealPrometheusDriverCase(RealPrometheusCase, prometheus_driver_scenario.DriverCase):
    def driver_options(self) -> Mapping[str, Any]:
        return {"url": self.server.url}


class RealPrometheusDriverTest(RealPrometheusDriverCase, prometheus_driver_scenario.DriverScenario):
    pass


class RealPrometheusWholenessTest(RealPrometheusDriverCase, prometheus_driver_scenario.WholenessScenario):
    pass


class RealPrometheusReportTest(RealPrometheusDriverCase, prometheus_report_scenario.ReportScenario):
    pass


class RealPrometheusCounterTest(RealPrometheusDriverCase, prometheus_driver_scenario.CounterScenario):
    pass


class OwnPrometheusCase(unittest.TestCase):
    def serve(self, *args: Any, **options: Any) -> Prometheus:
        server = Prometheus(*args, **options)
        self.addCleanup(server.stop)
        return server


class ScrapedSeriesTest(OwnPrometheusCase):
    """Three scrapes answer, those after the first without the resource ``b``, and the ones after these fail."""

    def test_range_holds_no_staleness_markers(self) -> None:
        both, one = Response(b'm{resource="a"} 1\nm{resource="b"} 1\n'), Response(b'm{resource="a"} 1\n')
        exporter = self.enterContext(HTTPServer(both, one, one, Response(status=503)))
        target = exporter.url.removeprefix("http://")
        job = {"job_name": "exporter", "scrape_interval": "1s", "scrape_timeout": "1s"}
        server = self.serve({"scrape_configs": [job | {"static_configs": [{"targets": [target]}]}]})
        wait_for(lambda: server.query("up == 0"))
        self.assertEqual([], server.query("m"))
        scraped = {series["metric"]["resource"]: series["values"] for series in server.query("m[1h]")}
        self.assertEqual({"a": ["1", "1", "1"], "b": ["1"]}, {name: [v for _, v in scraped[name]] for name in scraped})


class RetentionTest(OwnPrometheusCase):
    def test_samples_beyond_retention_are_gone(self) -> None:
        """The age of samples counts from the newest ones."""
        server = self.serve(options={"storage.tsdb.retention.time": "15d"})
        times = [START - datetime.timedelta(days=days) for days in (30, 10, 0)]
        server.add(*(Series({"__name__": "m", "day": str(number)}, [(time, 1)]) for number, time in enumerate(times)))
        found = server.query(f"m[1y] @ {START.timestamp()}")
        self.assertEqual(["1", "2"], sorted(series["metric"]["day"] for series in found))

    def test_short_retention_is_warned_of(self) -> None:
        for retention, expected in (("2d", "2 d"), ("1d12h", "1 d 12 h"), ("15d", None), ("96h", None)):
            with self.subTest(retention):
                server = self.serve(options={"storage.tsdb.retention.time": retention})
                driver = make_driver([{"meter": "meter", "unavailable": "not asked for"}], url=server.url)
                warnings = list(driver.warnings())
                self.assertEqual(expected is not None, any(f"samples for {expected} only" in text for text in warnings))


class ConnectionTest(OwnPrometheusCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.authority = Authority(self.folder)

    def ask(self, server: Prometheus, **options: Any) -> None:
        """:param options: of the driver."""
        entry = {"meter": "meter", "unavailable": "not asked for"}
        make_driver([entry], url=server.url, **options).require_answer()

    def assert_fails(self, server: Prometheus, expected: str, **options: Any) -> None:
        with self.assertRaisesRegex(exceptions.TelemetryError, expected):
            self.ask(server, **options)

    def test_password_is_sent(self) -> None:
        server = self.serve(basic_auth=True)
        self.ask(server, username=server.username, password=server.password)
        self.assert_fails(server, "HTTP 401: Unauthorized", username=server.username, password="wrong")
        self.assert_fails(server, "HTTP 401: Unauthorized")

    def test_certificate_is_verified(self) -> None:
        server = self.serve(certificate=self.authority.issue())
        self.ask(server, cafile=str(self.authority.file))
        self.assert_fails(server, "certificate verify failed", cafile=str(Authority(self.folder, "other").file))

    def test_client_certificate_is_sent(self) -> None:
        server = self.serve(certificate=self.authority.issue(), client_cafile=self.authority.file)
        cafile, (certfile, keyfile) = str(self.authority.file), map(str, self.authority.issue("client"))
        self.ask(server, cafile=cafile, certfile=certfile, keyfile=keyfile)
        self.assert_fails(server, "SSL", cafile=cafile)

    def test_stopped_server_raises(self) -> None:
        server = self.serve()
        server.stop()
        self.assert_fails(server, "Connection refused")
