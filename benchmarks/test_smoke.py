# SPDX-License-Identifier: Apache-2.0
"""Tests that the benchmark at its smallest measures what it reports; no test depends on a time.

They take two minutes, and are a job beside the other tests: ``tox -e smoke``.
"""

import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from typing import Any
from typing import ClassVar

from distil.sandbox.cloud import Cloud
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import TICKS_PER_HOUR
from distil.tests.support import databases
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

ROOT = pathlib.Path(__file__).parents[1]
PARTS = ["catching-up", "latency", "steady", "cloud", "growth", "scrape", "start", "cores", "receipts", "telemetry"]
TELEMETRY_SERVICES = {"ceilometer", "gnocchi", "prometheus", "aetos"}
PROJECTS, RESOURCES, WINDOWS = 2, 2, 2


def run(*arguments: str) -> str:
    """Return what a program of the benchmark prints.

    :raises CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def samples(projects: int, resources: int, windows: int) -> int:
    return projects * resources * windows * len(METERS) * TICKS_PER_HOUR


class BenchmarkResultsTest(unittest.TestCase):
    table: ClassVar[str]
    output: ClassVar[pathlib.Path]
    document: ClassVar[dict[str, Any]]
    parts: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        with databases.database(databases.MYSQL, migrated=False):  # skips the tests without a server
            pass
        cls.output = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "benchmark")
        cls.table = run("benchmarks", "--smoke", "--output", str(cls.output))
        cls.document = json.loads((cls.output / "figures.json").read_text())
        cls.parts = cls.document["parts"]

    def test_every_part_has_figures_and_rounds(self) -> None:
        self.assertEqual(PARTS, list(self.parts))
        for name, part in self.parts.items():
            self.assertTrue(part["figures"], name)
            self.assertTrue(part["rounds"], name)

    def test_ratio_is_relative_to_target(self) -> None:
        figures = [figure for part in self.parts.values() for figure in part["figures"] if figure["target"]]
        self.assertTrue(figures)
        for figure in figures:
            self.assertAlmostEqual(figure["measured"], figure["ratio"] * figure["target"])
            self.assertTrue(figure["lowest"] <= figure["measured"] <= figure["highest"], figure)

    def test_collector_and_baseline_process_same_samples(self) -> None:
        for name, windows in (("catching-up", WINDOWS), ("latency", WINDOWS), ("steady", 1)):
            (measured,) = self.parts[name]["rounds"]
            collection = measured["collection"]
            self.assertEqual((PROJECTS + 1) * windows, collection["project_windows"], name)
            self.assertEqual(samples(PROJECTS, RESOURCES, windows), collection["samples"], name)
            counts = {"samples": collection["samples"], "entries": collection["entries"]}
            self.assertEqual(counts, measured["baseline_counts"], name)

    def test_entry_count_matches_stored_usage(self) -> None:
        (measured,) = self.parts["catching-up"]["rounds"]
        start = datetime.datetime.fromisoformat(measured["start"])
        end = start + WINDOWS * HOUR
        cloud = self.enterContext(Cloud(projects=PROJECTS, resources=RESOURCES, start=start, end=end))
        site = self.enterContext(Site(cloud=cloud))
        site.start = start
        site.configure()
        site.collect(end)
        self.assertEqual(len(site.usage()), measured["collection"]["entries"])

    def test_baseline_batches_metering_requests(self) -> None:
        for name, queries in (("catching-up", PROJECTS + 1), ("latency", PROJECTS + 1), ("steady", 1)):
            (measured,) = self.parts[name]["rounds"]
            self.assertEqual({"identity": 1, "metering": queries}, measured["baseline_requests"], name)

    def test_request_figures_match_measured_run(self) -> None:
        (measured,) = self.parts["catching-up"]["rounds"]
        requests = measured["collection"]["requests"]
        (figure,) = (entry for entry in self.parts["catching-up"]["figures"] if entry["what"] == "requests")
        self.assertAlmostEqual(sum(requests.values()), figure["measured"] * (PROJECTS + 1) * WINDOWS)
        # A token and the projects; at least one query; the instances, whose look-ups the second hour does not repeat.
        self.assertGreaterEqual(requests["identity"], 2)
        self.assertGreaterEqual(requests["metering"], 1)
        (steady,) = self.parts["steady"]["rounds"]
        self.assertGreater(requests["compute"], steady["collection"]["requests"].get("compute", 0))

    def test_samples_and_windows_match_size(self) -> None:
        small, large = self.parts["cloud"]["rounds"]
        self.assertEqual((2, 20), (small["size"]["projects"], large["size"]["projects"]))
        for costs in (small, large, *self.parts["growth"]["rounds"]):
            self.assertEqual(samples(costs["size"]["projects"], costs["size"]["resources"], 1), costs["samples"])
            for hour in ("first", "second"):
                self.assertEqual(costs["size"]["projects"] + 1, costs[hour]["windows"])
                self.assertGreater(costs[hour]["entries"], 0)
            self.assertEqual((0, 0), (costs["idle"]["windows"], costs["idle"]["entries"]))
        self.assertGreater(large["second"]["entries"], small["second"]["entries"])

    def test_scrape_round_covers_series_and_windows(self) -> None:
        (measured,) = self.parts["scrape"]["rounds"]
        for mode in ("with", "without"):
            self.assertEqual(100, measured[mode]["scrape"]["series"])
            self.assertEqual((PROJECTS + 1) * WINDOWS, measured[mode]["run"]["windows"])
        self.assertEqual(0, measured["without"]["scrapes"])

    def test_telemetry_services_are_measured_or_missing(self) -> None:
        part = self.parts["telemetry"]
        (runs,) = part["rounds"]
        missing = {figure["what"].split(":")[0] for figure in part["figures"] if "not measured: " in figure["what"]}
        self.assertEqual(TELEMETRY_SERVICES, runs.keys() | missing)
        self.assertEqual(TELEMETRY_SERVICES - missing, runs.keys())

    def test_telemetry_services_have_same_usage(self) -> None:
        (runs,) = self.parts["telemetry"]["rounds"]
        for service, run in runs.items():
            self.assertEqual(PROJECTS * RESOURCES * WINDOWS, run["usage"]["n1.international-out"][0], service)
            self.assertEqual(2 * PROJECTS * RESOURCES * WINDOWS, sum(entries for entries, _ in run["usage"].values()))
            for hour in ("first", "second"):
                self.assertEqual(2 * PROJECTS * RESOURCES, run[hour]["entries"], service)
                self.assertGreater(run[hour]["requests"][run["service_type"]], 0, service)

    def test_table_has_row_per_figure(self) -> None:
        lines = self.table.splitlines()
        self.assertEqual(1 + sum(len(part["figures"]) for part in self.parts.values()), len(lines))
        for name, part in self.parts.items():
            for figure in part["figures"]:
                self.assertRegex(self.table, rf"(?m)^{re.escape(name)} +{re.escape(figure['what'])}(  |$)")

    def test_text_has_table_and_surroundings(self) -> None:
        text = (self.output / "figures.txt").read_text()
        self.assertTrue(text.startswith(self.table))
        for group in ("machine", "versions", "scale"):
            self.assertIn(f"\n{group}:\n", text)
            for name in self.document[group]:
                self.assertIn(f"\n  {name}: ", text)

    def test_records_versions_and_machine(self) -> None:
        self.assertIn("distil", self.document["versions"])
        self.assertIn("MariaDB's innodb_flush_log_at_trx_commit", self.document["versions"])
        self.assertGreater(int(self.document["machine"]["cores"]), 0)
