# SPDX-License-Identifier: Apache-2.0
"""The metrics of a real collector's runs."""

import datetime
import math
import subprocess
import unittest
import urllib.request
from typing import Any

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from distil.db import models
from distil.tests.support import requirements
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

PREFIX = "distil_collector_"

Values = dict[str, float]


class RunMetricsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.ids = self.site.cloud.projects.enabled_ids
        # The project of the services themselves is in scope, too.
        self.number = len(self.ids) + 1
        self.port = free_port()
        self.log = self.site.folder / "collector.log"

    def run_once(self, outcome: str, **collector: Any) -> Values:
        """Values after the first run of a collector, which ended so."""
        self.site.configure(
            {"timeout": 5}, enable_exporter=True, exporter_host="127.0.0.1", exporter_port=self.port, **collector
        )
        self.collector = self.site.collector("--log-file", str(self.log))
        wait_for(lambda: self.values().get(f"runs_total outcome={outcome}"))
        return self.values()

    def stop(self) -> None:
        self.collector.terminate()
        self.collector.communicate(timeout=60)

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def values(self) -> Values:
        """By name without prefix, and labels in the order of their names; empty while the exporter does not answer."""
        try:
            families = list(text_string_to_metric_families(self.page()))
        except OSError:
            return {}
        values = {}
        for sample in (sample for family in families for sample in family.samples):
            labels = (f"{name}={value}" for name, value in sample.labels.items())
            values[" ".join([sample.name.removeprefix(PREFIX), *labels])] = sample.value
        return values

    def test_multiprocess_directory_has_no_effect(self) -> None:
        existing = self.site.folder / "metrics"
        existing.mkdir()
        for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
            for folder in (existing, self.site.folder / "nowhere"):
                self.site.environment = {name: str(folder)}
                with self.subTest(name, folder=folder):
                    self.assertEqual(1, self.run_once("complete")["runs_total outcome=complete"])
                    self.assertEqual([], list(existing.iterdir()))
                self.stop()

    def states(self, values: Values) -> dict[str, float]:
        """Those that a project is in; their sum is the number in scope."""
        states = {name.partition("=")[2]: value for name, value in values.items() if name.startswith("projects state=")}
        self.assertEqual(values["projects_in_scope"], sum(states.values()))
        return {state: value for state, value in states.items() if value}

    def lease(self, expires: datetime.datetime) -> None:
        """Another collector's, of the first project."""
        row = {"project_id": self.ids[0], "owner": "other", "created": expires - HOUR / 12, "expires": expires}
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(models.project_locks).values(row))

    def test_complete_run_updates_all_metrics(self) -> None:
        bad = self.site.sample(self.ids[0], "network", volume="much")
        untrusted = self.site.sample(self.ids[0], "network", source="anybody")
        again = self.site.sample(self.ids[0], "network", id="again")
        added = [bad, untrusted, again, again]
        self.site.cloud.add_samples(self.ids[0], "network", added, at=self.site.start.isoformat())
        values = self.run_once("complete", max_windows_per_cycle=10)
        self.assertEqual({"up_to_date": self.number}, self.states(values))
        windows = 4 * self.number
        self.assertEqual((windows, 0), (values["windows_total outcome=committed"], values["windows_due"]))
        self.assertEqual(windows, values["commit_duration_seconds_count"])
        self.assertEqual(len(self.site.usage()), values["usage_entries_total"])
        self.assertEqual((1, 1), (values["samples_rejected_total reason=volume"], values["samples_untrusted_total"]))
        self.assertEqual(1, values["samples_duplicate_total content=identical"])
        self.assertEqual(3, values["samples_fetched_total"] - values["samples_used_total"])
        self.assertLess(values["lag_seconds"], 3600)
        self.assertEqual([], [name for name in values if name.startswith("project_lag_seconds")])
        self.assertEqual(values["last_run_end"], values["last_complete_run_timestamp_seconds"])
        self.assertEqual(3600, values["run_interval_seconds"])
        self.assertAlmostEqual(values["last_run_start"] + 3600, values["next_run_timestamp_seconds"], delta=5)
        self.assertLess(values["last_run_start"] - values["process_start_time_seconds"], 60)
        self.assertEqual(0, values["leases_held"])

    def test_window_limit_reports_growing_lag(self) -> None:
        self.site.collect(self.site.start + HOUR)
        values = self.run_once("complete", max_windows_per_cycle=1, periodic_interval=600)
        # The windows of the service project are empty, and so do not count.
        behind = self.number - 1
        self.assertEqual({"behind": behind, "up_to_date": 1}, self.states(values))
        self.assertEqual(2 * behind, values["windows_due"])
        lag = (datetime.datetime.now(datetime.UTC) - self.site.start - 2 * HOUR).total_seconds()
        self.assertAlmostEqual(lag, values["lag_seconds"], delta=30)
        for project_id in self.ids:
            self.assertAlmostEqual(lag, values[f"project_lag_seconds project_id={project_id}"], delta=30)
        self.assertGreater(self.values()["lag_seconds"], values["lag_seconds"])
        text = self.log.read_text()
        self.assertIn(f"{2 * behind} windows still due", text)
        self.assertIn(f"0 projects failed, {behind} behind, 0 skipped", text)

    def test_failed_project_makes_run_partial(self) -> None:
        self.site.cloud.add_fault("metering", "status", status=503, project_id=self.ids[0])
        self.site.cloud.add_fault("compute", "reset", path="/servers", times=1)
        values = self.run_once("partial", max_windows_per_cycle=10)
        self.assertEqual({"failed": 1, "up_to_date": self.number - 1}, self.states(values))
        self.assertEqual((1, 4), (values["windows_total outcome=failed"], values["windows_due"]))
        self.assertEqual(2, values["retries_total step=window"])
        self.assertEqual(0, values["last_complete_run_timestamp_seconds"])
        self.assertLessEqual(3, values["http_requests_total method=POST service=metering status=503"])
        self.assertEqual(1, values["http_requests_total method=GET service=compute status=error"])
        self.assertLessEqual(1, values["http_requests_total method=POST service=metering status=200"])
        self.assertEqual(1, values["http_requests_total method=POST service=identity status=201"])
        asked = {name.split()[2] for name in values if name.startswith("http_requests_total")}
        services = {"identity", "metering", "compute", "block-storage", "image", "object-store"}
        self.assertEqual({f"service={service}" for service in services}, asked)
        self.assertIn("1 project failed", self.log.read_text())

    def test_unavailable_keystone_fails_run(self) -> None:
        self.site.cloud.add_fault("identity", "status", path="/projects", status=503)
        values = self.run_once("failed")
        self.assertEqual(2, values["retries_total step=plan"])
        self.assertEqual(0, values["last_run_end"])
        self.assertTrue(math.isnan(values["projects_in_scope"]))
        self.assertLess(0, values["last_run_start"])

    def test_outdated_database_fails_run(self) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '001'"))
        self.assertEqual(0, self.run_once("failed")["last_run_end"])
        self.assertIn("The run failed; retrying in the next run", self.log.read_text())

    def test_project_leased_elsewhere_is_skipped(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.lease(expires=datetime.datetime.now(datetime.UTC) + HOUR / 12)
        values = self.run_once("complete", max_windows_per_cycle=10)
        self.assertEqual({"skipped": 1, "up_to_date": self.number - 1}, self.states(values))
        self.assertEqual(3, values["windows_due"])

    def test_expired_lease_is_taken_over(self) -> None:
        self.site.collect(self.site.start + HOUR)
        self.lease(expires=datetime.datetime.now(datetime.UTC) - HOUR)
        values = self.run_once("complete")
        self.assertEqual((1, 0), (values["leases_taken_over_total"], values["leases_lost_total"]))

    def test_promtool_accepts_metrics(self) -> None:
        self.run_once("complete")
        command = [requirements.program("promtool"), "check", "metrics"]
        checked = subprocess.run(command, input=self.page(), text=True, capture_output=True, check=False)
        self.assertEqual((0, ""), (checked.returncode, checked.stdout + checked.stderr))
