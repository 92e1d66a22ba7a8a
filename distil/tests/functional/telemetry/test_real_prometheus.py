# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus answers as the driver expects."""

import datetime
import pathlib
import tempfile
import unittest
from typing import ClassVar

import requests
from keystoneauth1 import noauth
from keystoneauth1 import session as ks_session

from distil.tests.support import prometheus_scenario
from distil.tests.support.certificates import Authority
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Response
from distil.tests.support.processes import wait_for
from distil.tests.support.prometheus_scenario import START
from distil.tests.support.real import prometheus
from distil.tests.support.real.prometheus import Prometheus
from distil.tests.support.real.prometheus import Series


class RealPrometheusTest(prometheus_scenario.PrometheusScenario):
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


class ScrapedSeriesTest(unittest.TestCase):
    """Three scrapes answer, the second without the resource ``b``, and those after them fail."""

    def test_range_holds_no_staleness_markers(self) -> None:
        both, one = Response(b'm{resource="a"} 1\nm{resource="b"} 1\n'), Response(b'm{resource="a"} 1\n')
        exporter = self.enterContext(HTTPServer(both, one, one, Response(status=503)))
        target = exporter.url.removeprefix("http://")
        job = {"job_name": "exporter", "scrape_interval": "1s", "scrape_timeout": "1s"}
        server = Prometheus({"scrape_configs": [job | {"static_configs": [{"targets": [target]}]}]})
        self.addCleanup(server.stop)
        wait_for(lambda: server.query("up == 0"))
        self.assertEqual([], server.query("m"))
        scraped = {series["metric"]["resource"]: series["values"] for series in server.query("m[1h]")}
        self.assertEqual({"a": ["1", "1", "1"], "b": ["1"]}, {name: [v for _, v in scraped[name]] for name in scraped})


class ServerOptionsTest(unittest.TestCase):
    def test_password_is_required(self) -> None:
        server = Prometheus(basic_auth=True)
        self.addCleanup(server.stop)
        url, password = f"{server.url}/api/v1/query?query=up", (server.username, server.password)
        for auth, status_code in ((None, 401), ((server.username, "wrong"), 401), (password, 200)):
            with self.subTest(auth=auth):
                self.assertEqual(status_code, requests.get(url, auth=auth, timeout=60).status_code)

    def test_certificate_is_verified(self) -> None:
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        authority, other = Authority(folder), Authority(folder, "other")
        server = Prometheus(certificate=authority.issue())
        self.addCleanup(server.stop)
        url = f"{server.url}/api/v1/query?query=up"
        self.assertEqual(200, requests.get(url, verify=str(authority.file), timeout=60).status_code)
        with self.assertRaises(requests.exceptions.SSLError):
            requests.get(url, verify=str(other.file), timeout=60)

    def test_samples_beyond_retention_are_gone(self) -> None:
        """The age of samples counts from the newest ones."""
        server = Prometheus(options={"storage.tsdb.retention.time": "15d"})
        self.addCleanup(server.stop)
        times = [START - datetime.timedelta(days=days) for days in (30, 10, 0)]
        server.add(*(Series({"__name__": "m", "day": str(number)}, [(time, 1)]) for number, time in enumerate(times)))
        found = server.query(f"m[1y] @ {START.timestamp()}")
        self.assertEqual(["1", "2"], sorted(series["metric"]["day"] for series in found))
