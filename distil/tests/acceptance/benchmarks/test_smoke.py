# SPDX-License-Identifier: Apache-2.0
"""The benchmark at its smallest: that it measures what it says, never how long something takes."""

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

ROOT = pathlib.Path(__file__).parents[4]
PARTS = ["catching-up", "latency", "steady", "cloud", "growth", "scrape", "start", "cores"]
PROJECTS, RESOURCES, WINDOWS = 2, 2, 2


def run(*arguments: str) -> str:
    """What a program of the benchmark printed.

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
        with databases.database(databases.MYSQL, migrated=False):  # skips where there is none
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

    def test_collector_and_floor_process_same_samples(self) -> None:
        for name, windows in (("catching-up", WINDOWS), ("latency", WINDOWS), ("steady", 1)):
            (a_round,) = self.parts[name]["rounds"]
            collection = a_round["collection"]
            self.assertEqual((PROJECTS + 1) * windows, collection["project_windows"], name)
            self.assertEqual(samples(PROJECTS, RESOURCES, windows), collection["samples"], name)
            counts = {"samples": collection["samples"], "entries": collection["entries"]}
            self.assertEqual(counts, a_round["floor_counts"], name)

    def test_entry_count_matches_stored_usage(self) -> None:
        (a_round,) = self.parts["catching-up"]["rounds"]
        start = datetime.datetime.fromisoformat(a_round["start"])
        end = start + WINDOWS * HOUR
        cloud = self.enterContext(Cloud(projects=PROJECTS, resources=RESOURCES, start=start, end=end))
        site = self.enterContext(Site(cloud=cloud))
        site.start = start
        site.configure()
        site.collect(end)
        self.assertEqual(len(site.usage()), a_round["collection"]["entries"])

    def test_floor_batches_metering_requests(self) -> None:
        for name, questions in (("catching-up", PROJECTS + 1), ("latency", PROJECTS + 1), ("steady", 1)):
            (a_round,) = self.parts[name]["rounds"]
            self.assertEqual({"identity": 1, "metering": questions}, a_round["floor_requests"], name)

    def test_request_figures_match_measured_run(self) -> None:
        (a_round,) = self.parts["catching-up"]["rounds"]
        requests = a_round["collection"]["requests"]
        (figure,) = (each for each in self.parts["catching-up"]["figures"] if each["what"] == "requests")
        self.assertAlmostEqual(sum(requests.values()), figure["measured"] * (PROJECTS + 1) * WINDOWS)
        # A token and the projects; a question at least; the machines, which the second hour need not ask for again.
        self.assertGreaterEqual(requests["identity"], 2)
        self.assertGreaterEqual(requests["metering"], 1)
        (later,) = self.parts["steady"]["rounds"]
        self.assertGreater(requests["compute"], later["collection"]["requests"].get("compute", 0))

    def test_samples_and_windows_match_size(self) -> None:
        small, large = self.parts["cloud"]["rounds"]
        self.assertEqual((2, 20), (small["size"]["projects"], large["size"]["projects"]))
        for each in (small, large, *self.parts["growth"]["rounds"]):
            self.assertEqual(samples(each["size"]["projects"], each["size"]["resources"], 1), each["samples"])
            for hour in ("first", "second"):
                self.assertEqual(each["size"]["projects"] + 1, each[hour]["windows"])
                self.assertGreater(each[hour]["entries"], 0)
            self.assertEqual((0, 0), (each["nothing"]["windows"], each["nothing"]["entries"]))
        self.assertGreater(large["second"]["entries"], small["second"]["entries"])

    def test_scrape_round_covers_series_and_windows(self) -> None:
        (a_round,) = self.parts["scrape"]["rounds"]
        for how in ("with", "without"):
            self.assertEqual(100, a_round[how]["scrape"]["series"])
            self.assertEqual((PROJECTS + 1) * WINDOWS, a_round[how]["run"]["windows"])
        self.assertEqual(0, a_round["without"]["scrapes"])

    def test_table_has_a_row_for_each_figure(self) -> None:
        lines = self.table.splitlines()
        self.assertEqual(1 + sum(len(part["figures"]) for part in self.parts.values()), len(lines))
        for name, part in self.parts.items():
            for figure in part["figures"]:
                self.assertRegex(self.table, rf"(?m)^{re.escape(name)} +{re.escape(figure['what'])}  ")

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


class BenchmarkPartsTest(unittest.TestCase):
    def test_every_part_is_documented(self) -> None:
        page = (ROOT / "doc" / "source" / "contributor" / "benchmark.rst").read_text()
        described = re.findall(r"^``([a-z-]+)`` +\S", page, re.MULTILINE)
        self.assertEqual(PARTS, described)

    def test_unknown_part_exits_with_2(self) -> None:
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            run("benchmarks", "--smoke", "no-such-part")
        self.assertEqual(2, caught.exception.returncode)
