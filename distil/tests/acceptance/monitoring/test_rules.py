# SPDX-License-Identifier: Apache-2.0
"""The alerting rules, as Prometheus reads and evaluates them."""

import re
import unittest

import yaml

from distil.tests.support.monitoring import ETC
from distil.tests.support.real.prometheus import promtool

TESTS = sorted((ETC / "tests").glob("*.yml"))


class PrometheusRulesTest(unittest.TestCase):
    def test_promtool_accepts_configuration(self) -> None:
        self.assertIn("rules found", promtool("check", "config", str(ETC / "prometheus.yml")))

    def test_promtool_rule_tests_pass(self) -> None:
        output = promtool("test", "rules", *map(str, TESTS))
        self.assertEqual(len(TESTS), output.count("SUCCESS"))

    def test_every_alert_has_rule_test(self) -> None:
        rules = yaml.safe_load((ETC / "distil-rules.yml").read_text())
        alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
        raised: set[str] = set()
        for path in TESTS:
            for test in yaml.safe_load(path.read_text())["tests"]:
                raised |= {alert["alertname"] for alert in test.get("alert_rule_test", []) if alert.get("exp_alerts")}
                for expected in test.get("promql_expr_test", []):
                    labels = " ".join(sample["labels"] for sample in expected.get("exp_samples", []))
                    raised |= set(re.findall(r'alertname="(\w+)"', labels))
        self.assertEqual(alerts, raised)
