# SPDX-License-Identifier: Apache-2.0
"""The alerting rules and the dashboard use existing metrics and refer to the documentation."""

import itertools
import json
import pathlib
import re
import unittest
from typing import Any

import prometheus_client
import yaml

from distil.monitoring.definitions import DEFINITIONS
from distil.monitoring.definitions import MetricType

ROOT = pathlib.Path(__file__).parents[4]
PROMETHEUS = ROOT / "etc" / "prometheus"
DASHBOARD = json.loads((ROOT / "etc" / "grafana" / "distil-collector.json").read_text())
RUNBOOK = "admin/alerts.html"
COLUMNS = 24

# Labels that Prometheus adds to every series, and suffixes of a histogram's series.
_TARGET_LABELS = {"job", "instance"}
_HISTOGRAM_SUFFIXES = ("_bucket", "_count", "_sum")
# Metrics that the dashboard does not use: other metrics show the same, or it uses recording rules.
_NOT_SHOWN = {
    "distil_collector_config_last_reload_successful",
    "distil_collector_log_errors_total",
    "distil_collector_last_run_start",
    "distil_collector_last_run_end",
    "distil_collector_projects_in_scope",
    "distil_collector_usage_total",
}
_KEYWORDS = {"and", "or", "unless", "offset", "bool"}


def rules() -> list[dict[str, Any]]:
    text = yaml.safe_load((PROMETHEUS / "distil-rules.yml").read_text())
    return [rule for group in text["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def own_series() -> dict[str, set[str]]:
    """Returns the labels of the collector's series, by name."""
    series = {"up": _TARGET_LABELS}
    for family in prometheus_client.ProcessCollector(registry=None).collect():
        series |= {sample.name: _TARGET_LABELS for sample in family.samples}
    for metric in DEFINITIONS:
        suffixes = _HISTOGRAM_SUFFIXES if metric.type is MetricType.HISTOGRAM else ("",)
        series |= {metric.full_name + suffix: _TARGET_LABELS | {*metric.labels} for suffix in suffixes}
    return series


def names(expression: str) -> set[str]:
    """Returns the names of the series in an expression."""
    without_strings = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(by|on|ignoring|without|group_left)\s*\([^)]*\)", "", without_strings)
    return set(re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)) - _KEYWORDS


class PrometheusRulesTest(unittest.TestCase):
    def test_expressions_use_existing_series(self) -> None:
        known = {*own_series(), *recorded()}
        for rule in rules():
            self.assertLessEqual(names(rule["expr"]), known)
            self.assertTrue(names(rule["expr"]))

    def test_rule_tests_use_existing_series(self) -> None:
        known = own_series()
        for path in (PROMETHEUS / "tests").glob("*.yml"):
            for test in yaml.safe_load(path.read_text())["tests"]:
                for series in test["input_series"]:
                    name, _, labels = series["series"].partition("{")
                    self.assertEqual(known[name], set(re.findall(r'(\w+)="', labels)), series)

    def test_alerts_match_runbook_sections(self) -> None:
        text = (ROOT / "doc" / "source" / RUNBOOK).with_suffix(".rst").read_text()
        sections = re.findall(r"^(\w+)\n-+$", text, re.MULTILINE)
        alerts = [rule for rule in rules() if "alert" in rule]
        self.assertEqual([rule["alert"] for rule in alerts], sections)
        for rule in alerts:
            self.assertEqual({"summary", "description", "runbook"}, rule["annotations"].keys())
            self.assertEqual(f"{RUNBOOK}#{rule['alert'].lower()}", rule["annotations"]["runbook"])
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"))


class DashboardTest(unittest.TestCase):
    panels = tuple(panel for panel in DASHBOARD["panels"] if panel["type"] != "row")

    def test_panels_cover_existing_series(self) -> None:
        shown = {name for panel in self.panels for target in panel["targets"] for name in names(target["expr"])}
        self.assertLessEqual(shown, {"ALERTS", *own_series(), *recorded()})
        exported = {metric.full_name for metric in DEFINITIONS}
        self.assertEqual(_NOT_SHOWN, exported - {name.removesuffix("_bucket") for name in shown})

    def test_panels_have_description_and_unit(self) -> None:
        titles = [panel["title"] for panel in self.panels]
        self.assertEqual(len(titles), len(set(titles)))
        for panel in self.panels:
            with self.subTest(panel["title"]):
                self.assertRegex(panel["description"], r"^[A-Z0-9].+\.$")
                self.assertTrue(panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"])

    def test_panel_ids_unique_and_rows_filled(self) -> None:
        panels = DASHBOARD["panels"]
        self.assertEqual(len(panels), len({panel["id"] for panel in panels}))
        following = 0
        for y, line in itertools.groupby((panel["gridPos"] for panel in panels), key=lambda grid: grid["y"]):
            places = list(line)
            self.assertEqual(following, y)
            self.assertEqual(1, len({place["h"] for place in places}))
            edges = [*itertools.accumulate((place["w"] for place in places), initial=0)]
            self.assertEqual(edges, [*(place["x"] for place in places), COLUMNS])
            following = y + places[0]["h"]

    def test_each_row_is_described(self) -> None:
        text = (ROOT / "doc" / "source" / RUNBOOK).with_suffix(".rst").read_text()
        for panel in DASHBOARD["panels"]:
            if panel["type"] == "row":
                self.assertIn(f"*{panel['title']}*", text)
