# SPDX-License-Identifier: Apache-2.0
"""The dashboard's queries, evaluated by a real Prometheus that scrapes a real collector."""

import json
import math
import pathlib
import unittest

from distil.tests.support.monitoring import monitor
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site

DASHBOARD = json.loads(pathlib.Path(__file__).parents[4].joinpath("etc/grafana/distil-collector.json").read_text())
# Values that Grafana substitutes.
VARIABLES = {"$job": "distil", "$instance": "127.0.0.1:.+", "$collector": ".+", "$__rate_interval": "1m"}
INTERVAL_SECONDS = 15


def substitute(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


class DashboardTest(unittest.TestCase):
    """Telemetry fails once, and each run collects one of the four windows due."""

    def setUp(self) -> None:
        site = self.enterContext(Site())
        site.cloud.add_fault("metering", "status", status=503, times=1)
        port = free_port()
        site.configure(
            enable_exporter=True,
            exporter_host="127.0.0.1",
            exporter_port=port,
            max_windows_per_cycle=1,
            periodic_interval=INTERVAL_SECONDS,
        )
        self.prometheus = monitor(port)
        self.addCleanup(self.prometheus.stop)
        site.collector()

    def test_every_panel_has_data(self) -> None:
        # increase() is empty before the second run.
        wait_for(lambda: self.prometheus.query("service:distil_collector_usage_projects:count1h"))
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", []):
                with self.subTest(panel["title"], query=target["expr"]):
                    series = self.prometheus.query(substitute(target["expr"]))
                    self.assertTrue([sample for sample in series if not math.isnan(float(sample["value"][1]))], series)

    def test_every_variable_has_values(self) -> None:
        wait_for(lambda: self.prometheus.query("distil_collector_config_info"))
        variables = [variable for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"]
        self.assertTrue(variables)
        for variable in variables:
            with self.subTest(variable["name"]):
                query = variable["definition"].removeprefix("label_values(").removesuffix(")")
                series, _, label = query.rpartition(", ")
                samples = self.prometheus.query(substitute(series))
                self.assertTrue(samples)
                self.assertTrue(all(label in sample["metric"] for sample in samples), samples)
