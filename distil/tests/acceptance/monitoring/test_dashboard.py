# SPDX-License-Identifier: Apache-2.0
"""The dashboard's queries, asked of a real Prometheus that scrapes a real collector."""

import json
import math
import pathlib
import unittest

from distil.tests.support.prometheus import prometheus
from distil.tests.support.site import Site
from distil.tests.support.site import free_port
from distil.tests.support.site import wait_for

DASHBOARD = json.loads(pathlib.Path(__file__).parents[4].joinpath("etc/grafana/distil-collector.json").read_text())
# What Grafana puts in.
VARIABLES = {"$job": "distil", "$instance": "127.0.0.1:.+", "$collector": ".+", "$__rate_interval": "1m"}
# Seconds from run to run.
INTERVAL = 15


def filled_in(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


class DashboardTest(unittest.TestCase):
    """Telemetry fails once, and each run has room for one of the four windows that are due."""

    def setUp(self) -> None:
        site = self.enterContext(Site())
        site.cloud.add_fault("metering", "status", status=503, times=1)
        port = free_port()
        site.configure(
            enable_exporter=True,
            exporter_host="127.0.0.1",
            exporter_port=port,
            max_windows_per_cycle=1,
            periodic_interval=INTERVAL,
        )
        self.prometheus = self.enterContext(prometheus(site.folder, port))
        site.collector()

    def test_every_panel_has_data(self) -> None:
        # The usage of the second run is the first that is seen to rise.
        wait_for(lambda: self.prometheus.query("service:distil_collector_usage_projects:count1h"))
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", []):
                with self.subTest(panel["title"], query=target["expr"]):
                    series = self.prometheus.query(filled_in(target["expr"]))
                    self.assertTrue([each for each in series if not math.isnan(float(each["value"][1]))], series)

    def test_every_variable_has_values(self) -> None:
        wait_for(lambda: self.prometheus.query("distil_collector_config_info"))
        variables = [each for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
        self.assertTrue(variables)
        for variable in variables:
            with self.subTest(variable["name"]):
                query = variable["definition"].removeprefix("label_values(").removesuffix(")")
                series, _, label = query.rpartition(", ")
                found = self.prometheus.query(filled_in(series))
                self.assertTrue(found)
                self.assertTrue(all(label in each["metric"] for each in found), found)
