# SPDX-License-Identifier: Apache-2.0
"""Which meters files are accepted."""

import pathlib
import tempfile
import unittest
from typing import Any

import yaml

from distil import exceptions
from distil.telemetry.meter_entry import ValueSource
from distil.telemetry.prometheus import meters
from distil.telemetry.prometheus.meters import FirstSample
from distil.telemetry.prometheus.meters import Kind
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.telemetry.prometheus.selector import Selector
from distil.tests.support.prometheus_driver import entry


class LoadTest(unittest.TestCase):
    def load(self, *entries: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            self.path = pathlib.Path(folder, "meters.yml")
            self.path.write_text(yaml.safe_dump(list(entries), sort_keys=False), encoding="utf-8")
            return meters.load(str(self.path))

    def assert_problems(self, document: Any, *expected: str) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.load(document)
        prefix = f"{self.path}:1: entry 1 (m): "
        self.assertEqual([prefix + problem for problem in expected], list(caught.exception.problems))

    def test_entry_has_all_values(self) -> None:
        document = {
            "meter": "m",
            "selector": 'metric{a="b"}',
            "kind": "counter",
            "up": 'up{job="j"}',
            "labels": {"project": "tenant_id", "resource": "id", "unit": "unit"},
            "first_sample": "from_zero",
            "metadata": {"name": "label_name"},
        }
        (loaded,) = self.load(document)
        expected = PrometheusMeter(
            meter="m",
            selector=Selector("metric", 'a="b"'),
            kind=Kind.COUNTER,
            up=Selector("up", 'job="j"'),
            project_label="tenant_id",
            resource_label="id",
            unit_label="unit",
            first_sample=FirstSample.FROM_ZERO,
            metadata={"name": ValueSource(field="label_name")},
        )
        self.assertEqual(expected, loaded)
        self.assertEqual({"tenant_id", "id", "unit", "label_name"}, loaded.label_names)

    def test_gauge_with_baseline_is_default(self) -> None:
        (loaded,) = self.load(entry())
        self.assertEqual((Kind.GAUGE, FirstSample.BASELINE), (loaded.kind, loaded.first_sample))

    def test_unavailable_meter_needs_no_series(self) -> None:
        (loaded,) = self.load({"meter": "m", "unavailable": "why"})
        self.assertEqual("why", loaded.unavailable)

    def test_missing_keys_are_problems(self) -> None:
        self.assert_problems(
            {"meter": "m"},
            "labels must name the labels of project and resource, not None",
            "must have either unit or labels.unit",
            "selector is missing",
            "up is missing",
        )

    def test_wrong_labels_are_problems(self) -> None:
        self.assert_problems(
            entry("m", labels={"projekt": "p", "resource": 5}),
            "unknown label 'projekt'; did you mean project?",
            "labels.project is missing",
            "labels.resource must be the name of a label, not 5",
        )

    def test_wrong_selectors_are_problems(self) -> None:
        hint = (
            "must be a metric's name, with conditions on labels if needed, as in"
            " openstack_cinder_volume_gb{status!=\"error\"}, not 'sum(x)'"
        )
        self.assert_problems(entry("m", selector="sum(x)", up="sum(x)"), f"selector {hint}", f"up {hint}")

    def test_unit_has_one_source(self) -> None:
        labels = {"project": "p", "resource": "r", "unit": "u"}
        self.assert_problems(entry("m", labels=labels), "must have either unit or labels.unit")

    def test_keys_without_effect_are_problems(self) -> None:
        self.assert_problems(entry("m", first_sample="baseline"), "first_sample has no effect on a gauge")
        problem = "volume has no effect on a counter: it is what was counted"
        self.assert_problems(entry("m", kind="counter", volume=1), problem)

    def test_other_metrics_are_no_source(self) -> None:
        problem = "metric cannot be a source of values: join what other metrics have by a recording rule of Prometheus"
        self.assert_problems(entry("m", metadata={"a": {"metric": "b"}}), problem)

    def test_unknown_kind_is_problem(self) -> None:
        self.assert_problems(entry("m", kind="histogram"), "kind must be one of gauge, counter, not 'histogram'")
