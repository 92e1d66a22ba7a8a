# SPDX-License-Identifier: Apache-2.0
"""The metrics are those of the table, and count what they say."""

import datetime
import os
import time
import unittest
from decimal import Decimal

from distil import model
from distil.exceptions import RejectionReason
from distil.exporter.pages import MetricsPage
from distil.monitoring.definitions import DEFINITIONS
from distil.monitoring.lag import LagCollector
from distil.monitoring.metrics import Metrics

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)


class MetricDefinitionsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.metrics = Metrics({"distil": "1", "oslo.db": "2"})
        self.families = {
            family.name: family
            for family in self.metrics.registry.collect()
            if family.name.startswith("distil_collector_")
        }

    def test_definitions_match_exported_metrics(self) -> None:
        page = MetricsPage(self.metrics.registry, self.metrics.usage_series).render("").body.decode()
        types = [line.split()[2:] for line in page.splitlines() if line.startswith("# TYPE distil_collector_")]
        self.assertEqual(sorted([row.full_name, row.type] for row in DEFINITIONS), sorted(types))

    def test_help_text_matches_definition(self) -> None:
        for row in DEFINITIONS:
            self.assertEqual(row.documentation, self.families[row.full_name.removesuffix("_total")].documentation)

    def test_series_labels_match_definition(self) -> None:
        self.metrics.count_request("compute", "GET", 200, 0.1)
        self.metrics.config_info.labels("default", "0")
        self.metrics.lags.replace({"p1": START})
        for row in DEFINITIONS[1:-1]:
            (family,) = [
                each for each in self.metrics.registry.collect() if each.name == row.full_name.removesuffix("_total")
            ]
            for sample in family.samples:
                self.assertEqual(set(row.labels), set(sample.labels) - {"le"}, row.name)
            self.assertTrue(family.samples, row.name)

    def test_build_info_labels_each_library(self) -> None:
        (build,) = self.families["distil_collector_build_info"].samples
        self.assertEqual({"version", "python_version", "oslo_db_version"}, set(build.labels))

    def test_known_label_values_start_at_zero(self) -> None:
        known = {
            "runs": {"complete", "partial", "failed", "paused", "stopped"},
            "projects": {"up_to_date", "behind", "failed", "skipped"},
            "windows": {"committed", "failed"},
            "retries": {"window", "take", "plan"},
            "samples_rejected": set(RejectionReason),
            "samples_duplicate": {"identical", "changed"},
        }
        for name, values in known.items():
            samples = self.families[f"distil_collector_{name}"].samples
            self.assertEqual(values, {value for sample in samples for value in sample.labels.values()})
            self.assertEqual({0}, {sample.value for sample in samples})


class MetricsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.metrics = Metrics({"distil": "1"})

    def value(self, name: str, **labels: object) -> float | None:
        return self.metrics.registry.get_sample_value(
            f"distil_collector_{name}", {key: str(value) for key, value in labels.items()}
        )

    def test_committed_window_counts_samples_and_usage(self) -> None:
        usage = model.Usage("c1", "r1", "second", Decimal(3600))
        rejected = model.RejectedSample("p1", "m", "r", "volume is missing", {}, RejectionReason.VOLUME)
        duplicates = {model.DuplicateContent.IDENTICAL: 2, model.DuplicateContent.CHANGED: 1}
        used = (model.Sample("p1", "m", "r", START, Decimal(1), "openstack", {}, {}),) * 4
        rated = model.RatedWindow((usage,), (), (rejected, rejected), {}, 9, used, untrusted=3, duplicates=duplicates)
        self.metrics.count_window("p1", model.Window(START, START + HOUR), rated, 0.2)
        names = "windows_total usage_entries_total samples_fetched_total samples_used_total samples_untrusted_total"
        values = [self.value(name, **({"outcome": "committed"} if "windows" in name else {})) for name in names.split()]
        self.assertEqual([1, 1, 9, 4, 3], values)
        self.assertEqual(2, self.value("samples_rejected_total", reason="volume"))
        self.assertEqual(2, self.value("samples_duplicate_total", content="identical"))
        self.assertEqual(1, self.value("samples_duplicate_total", content="changed"))
        self.assertEqual(
            (1, 0.2), (self.value("commit_duration_seconds_count"), self.value("commit_duration_seconds_sum"))
        )
        self.assertIn(
            b"distil_collector_usage_total{",
            MetricsPage(self.metrics.registry, self.metrics.usage_series).render("").body,
        )
        lag = self.value("lag_seconds") or 0
        self.assertAlmostEqual(time.time() - (START + HOUR).timestamp(), lag, delta=10)

    def test_requests_counted_by_service_and_status(self) -> None:
        self.metrics.count_request("compute", "GET", 200, 0.1)
        self.metrics.count_request("compute", "GET", None, 60)
        self.assertEqual(1, self.value("http_requests_total", service="compute", method="GET", status=200))
        self.assertEqual(1, self.value("http_requests_total", service="compute", method="GET", status="error"))
        self.assertEqual(60.1, self.value("http_request_duration_seconds_sum", service="compute", method="GET"))

    def test_process_metrics_follow_fork(self) -> None:
        """And not the one that made the registry, before it forked."""
        reader, writer = os.pipe()
        time.sleep(0.02)  # a tick, which is what start times are counted in
        pid = os.fork()
        if pid == 0:
            os.write(writer, str(self.metrics.registry.get_sample_value("process_start_time_seconds")).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        started = self.metrics.registry.get_sample_value("process_start_time_seconds")
        self.assertGreater(float(os.read(reader, 100)), started or 0)


class LagCollectorTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = START.timestamp()
        self.lags = LagCollector(3 * HOUR, lambda: self.now)

    def values(self) -> tuple[list[float], dict[str, float]]:
        whole, each = self.lags.collect()
        lags = {sample.labels["project_id"]: sample.value for sample in each.samples}
        return [sample.value for sample in whole.samples], lags

    def test_no_projects_yield_no_lag(self) -> None:
        self.assertEqual(([], {}), self.values())

    def test_largest_project_lag_grows_over_time(self) -> None:
        self.lags.replace({"p1": START - HOUR, "p2": START - 2 * HOUR})
        self.assertEqual(([7200], {}), self.values())
        self.now += 1800
        self.assertEqual(([9000], {}), self.values())

    def test_series_lasts_until_project_catches_up(self) -> None:
        self.lags.replace({"p1": START - 3 * HOUR, "p2": START - 4 * HOUR})
        self.assertEqual(([4 * 3600], {"p2": 4 * 3600}), self.values())
        self.lags.update("p2", START - HOUR)
        self.assertEqual(([3 * 3600], {}), self.values())

    def test_only_twenty_largest_lags_get_series(self) -> None:
        self.lags.replace({f"p{hours}": START - hours * HOUR for hours in range(100)})
        self.assertEqual({f"p{hours}" for hours in range(80, 100)}, self.values()[1].keys())

    def test_project_leaving_scope_is_removed(self) -> None:
        self.lags.replace({"p1": START - 9 * HOUR})
        self.lags.replace({"p2": START - HOUR})
        self.assertEqual(([3600], {}), self.values())
