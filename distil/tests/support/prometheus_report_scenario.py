# SPDX-License-Identifier: Apache-2.0
"""Tests of what the Prometheus driver reports for a check, against any server of the API."""

import uuid

from distil.telemetry.driver import MeterPresence
from distil.tests.support.prometheus_driver_scenario import DriverCase
from distil.tests.support.prometheus_scenario import END
from distil.tests.support.prometheus_scenario import MINUTE
from distil.tests.support.prometheus_scenario import START


class ReportScenario(DriverCase):
    """What a check of the configuration finds."""

    def test_right_configuration_has_no_problems(self) -> None:
        self.add_series(self.series([(END, 1)], name="x"))
        driver = self.driver({"metadata": {"name": "name"}}, lag=0)
        self.assertEqual(([], []), (list(driver.problems()), list(driver.warnings())))
        report = driver.report("meter", START, END)
        self.assertEqual((MeterPresence.PRESENT, [], {"prometheus"}), report[:3])
        self.assertEqual({"name": "x"}, report.example and report.example["metadata"])

    def test_missing_labels_are_problems(self) -> None:
        self.add_series(
            self.series([(END, 1)]),
            self.series([(END, 2)], project=""),
            self.series([(END, 3)], resource=""),
            self.series([(END, 4)], resource="", project="", name="x"),
        )
        driver = self.driver({"metadata": {"name": "name", "type": "kind"}}, lag=0)
        lacking = f"of 4 series of {self.metric} without label"
        problems = [f"2 {lacking} project: not billed", f"2 {lacking} resource: the samples are rejected"]
        report = driver.report("meter", START, END)
        self.assertEqual((problems, [f"4 {lacking} kind"]), (report.problems, report.warnings))

    def test_older_samples_are_found(self) -> None:
        self.add_series(self.series([(START + MINUTE, 1)]))
        report = self.driver({}).report("meter", START, END)
        self.assertEqual((MeterPresence.PRESENT, []), report[:2])

    def test_absence_is_told(self) -> None:
        self.add_series(self.series([(START - MINUTE, 1)]))
        driver = self.driver({})
        self.assertEqual((MeterPresence.ABSENT, []), driver.report("meter", START, END)[:2])
        (warning,) = driver.report("meter", START, END).warnings
        self.assertIn("has no series of a project; is it the name of a metric?", warning)
        another = driver.report("another", START, END)
        self.assertEqual((MeterPresence.ABSENT, [], []), (another.presence, another.problems, another.warnings))

    def test_gap_is_a_problem(self) -> None:
        self.job = uuid.uuid4().hex
        (problem,) = self.driver({}).report("meter", START, END).problems
        self.assertRegex(problem, "has no sample from 2025-12-31T23:58:00Z to 2026-01-01T00:58:00Z")
