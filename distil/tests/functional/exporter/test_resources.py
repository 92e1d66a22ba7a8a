# SPDX-License-Identifier: Apache-2.0
"""What a real collector shows."""

import json
import unittest
import urllib.request

from distil.tests.functional.collector.site import Site
from distil.tests.functional.collector.site import free_port
from distil.tests.functional.collector.site import metrics
from distil.tests.functional.collector.site import wait_for


class ResourcesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.port = free_port()

    def ask(self, path: str, accept: str = "*/*") -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            text: str = answer.read().decode()
        return text

    def test_a_collector_shows_its_name_its_version_and_that_it_is_well(self) -> None:
        self.site.configure(enable_exporter=True, exporter_host="127.0.0.1", exporter_port=self.port)
        self.site.collector()
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end"))
        self.assertIn("Distil Collector <bdi>default</bdi>", self.ask("/"))
        self.assertEqual("OK", self.ask("/health"))
        health = json.loads(self.ask("/health", "application/json"))
        self.assertEqual(("default", True, ["OK"]), (health["name"], health["healthy"], health["reasons"]))
        self.assertIn(f"Version {health['details']['version']}", self.ask("/"))
