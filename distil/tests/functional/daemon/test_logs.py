# SPDX-License-Identifier: Apache-2.0
"""The log of a collector's processes: its lines, its files, and what SIGHUP does to it."""

import importlib.metadata
import json
import pathlib
import shutil
import signal
import subprocess
import unittest
import urllib.request
from decimal import Decimal
from typing import Any

from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site

RUN = "Run of collector default"
DEFECT = """
from distil.rating.accumulator import UsageAccumulator
UsageAccumulator.add = lambda *_: 1 / 0
"""


class LogTestCase(unittest.TestCase):
    projects = 1

    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=self.projects, resources=1))
        self.log = self.site.folder / "log"

    def configure(self, log: pathlib.Path | None = None, **default: Any) -> None:
        default = {"log_file": log or self.log, **default}
        self.site.configure(sections={"DEFAULT": default}, periodic_interval=1)

    def wait_for_lines(self, text: str, log: pathlib.Path | None = None, times: int = 1) -> None:
        wait_for(lambda: (log or self.log).exists() and (log or self.log).read_text().count(text) >= times)

    def stop(self, collector: subprocess.Popen[str]) -> str:
        collector.send_signal(signal.SIGTERM)
        output, _ = collector.communicate(timeout=60)
        self.assertEqual(0, collector.returncode)
        return output


class LogLinesTest(LogTestCase):
    projects = 2

    def test_all_lines_are_json_with_context(self) -> None:
        failing = self.site.cloud.projects.enabled_ids[0]
        self.site.cloud.add_fault("metering", "status", status=503, project_id=failing)
        self.site.configure(sections={"DEFAULT": {"use_json": True, "log_file": self.log}}, misspelt=1)
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.assertEqual("", self.stop(collector))
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        self.assertIn("misspelt", lines[0]["message"])
        self.assertEqual(2, len({line["process"] for line in lines}), "the test has lost the parent or the child")
        (run,) = (line for line in lines if line["message"].startswith(RUN))
        self.assertRegex(run["context"]["request_id"], "^req-")
        self.assertEqual("default", run["context"]["collector"])
        failed = next(line for line in lines if "retrying in the next run" in line["message"])
        self.assertEqual(run["context"]["request_id"], failed["context"]["request_id"])
        self.assertEqual(failing, failed["context"]["project_id"])
        self.assertRegex(failed["context"]["window"], r"^\d{4}-\d\d-\d\dT\d\d:00:00Z/\d{4}-\d\d-\d\dT\d\d:00:00Z$")

    def test_json_line_contains_traceback(self) -> None:
        (self.site.folder / "sitecustomize.py").write_text(DEFECT)
        self.site.environment = {"PYTHONPATH": str(self.site.folder)}
        self.configure(use_json=True)
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.assertEqual("", self.stop(collector))
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        self.assertIn("ZeroDivisionError", next(line["traceback"] for line in lines if line["levelname"] == "ERROR"))

    def test_startup_failure_is_logged_as_json(self) -> None:
        self.site.configure(sections={"DEFAULT": {"use_json": True}}, meter_mappings_file="/nowhere")
        collector = self.site.collector()
        output, _ = collector.communicate(timeout=60)
        self.assertEqual(["CRITICAL"], [json.loads(line)["levelname"] for line in output.splitlines()])

    def test_start_and_run_log_one_line(self) -> None:
        self.configure()
        collector = self.site.collector()
        self.wait_for_lines(RUN, times=4)
        lines = self.log.read_text().splitlines()
        (start,) = (line for line in lines if " INFO " in line and RUN not in line)
        self.assertTrue(
            start.endswith(f"Distil Collector {importlib.metadata.version('distil')} starts: default."), start
        )
        self.stop(collector)

    def test_debug_level_explains_each_usage_entry(self) -> None:
        self.configure(default_log_levels="distil.monitoring.explanation_log=DEBUG")
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.stop(collector)
        lines = self.log.read_text().splitlines()
        entries = self.site.usage()
        self.assertTrue(entries)
        for entry in entries:
            window = f"{entry.start:%Y-%m-%dT%H:%M:%SZ}/{entry.end:%Y-%m-%dT%H:%M:%SZ}"
            subject = f"default {entry.project_id} {window}] "
            volume = f"{Decimal(entry.volume).normalize():f} {entry.unit}"
            gives = f" {volume} of {entry.service}; stored for {entry.resource_id}: {volume}."
            self.assertEqual(1, sum(subject in line and gives in line for line in lines), entry)


class LogEncodingTest(LogTestCase):
    """A project's name that the locale's encoding lacks."""

    projects = 7
    failure = "(project-6 \U0001f680): window"

    def setUp(self) -> None:
        super().setUp()
        self.site.environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        failing = self.site.cloud.projects.enabled_ids[6]
        self.site.cloud.add_fault("metering", "status", project_id=failing, status=503)

    def test_file_has_it_in_utf8(self) -> None:
        self.configure()
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.assertEqual("", self.stop(collector))
        self.assertIn(self.failure, self.log.read_text("utf-8"))

    def test_output_has_it_escaped(self) -> None:
        self.site.environment["PYTHONIOENCODING"] = "ascii:strict"
        collector = self.site.collector("--collect-end-time", self.site.end.isoformat())
        output, _ = collector.communicate(timeout=60)
        self.assertIn(self.failure.encode("ascii", "backslashreplace").decode(), output)


class FullDiskTest(LogTestCase):
    """A log on a full disk. Usage is collected nonetheless, and whoever looks at the collector is told."""

    def test_full_disk_is_visible_while_collecting(self) -> None:
        port = free_port()
        self.site.configure(
            sections={"DEFAULT": {"log_file": "/dev/full"}},
            periodic_interval=1,
            enable_exporter=True,
            exporter_host="127.0.0.1",
            exporter_port=port,
        )
        collector = self.site.collector()
        wait_for(lambda: metrics(port).get("distil_collector_log_errors_total", 0) >= 3)
        self.assertLessEqual(self.site.end, min(self.site.last_collected().values()))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as response:
            health = response.read().decode()
        self.assertRegex(health, r"^The log cannot be written: No space left on device. Records lost so far: \d+.$")
        output = self.stop(collector)
        # One of each process.
        self.assertEqual(2, output.count("The log /dev/full cannot be written"), output)
        self.assertEqual(2, len(output.splitlines()), output)


class LogFileTest(LogTestCase):
    def refused(self) -> str:
        collector = self.site.collector()
        output, _ = collector.communicate(timeout=60)
        self.assertEqual(1, collector.returncode)
        return output

    def test_unwritable_file_exits_with_1(self) -> None:
        self.configure(self.site.folder / "nowhere" / "log")
        self.assertEqual(
            f"distil-collector: the log file {self.site.folder}/nowhere/log cannot be written: "
            "No such file or directory\n",
            self.refused(),
        )

    def test_unknown_level_exits_with_1(self) -> None:
        self.configure(default_log_levels="distil=LOUD")
        self.assertEqual(
            "distil-collector: logging cannot be configured from [DEFAULT]: Unknown level: 'LOUD'\n", self.refused()
        )

    def test_renamed_file_is_reopened_without_signal(self) -> None:
        self.configure()
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.log.rename(self.site.folder / "log.1")
        self.wait_for_lines(RUN)
        self.stop(collector)
        output = self.log.read_text()
        self.assertIn("SIGTERM received", output)
        self.assertNotIn("SIGTERM", (self.site.folder / "log.1").read_text())

    def test_missing_folder_keeps_collection_running(self) -> None:
        folder = self.site.folder / "folder"
        folder.mkdir()
        self.site.configure(sections={"DEFAULT": {"log_dir": folder}}, periodic_interval=1, max_windows_per_cycle=1)
        collector = self.site.collector()
        log = folder / "distil-collector.log"
        self.wait_for_lines(RUN, log)
        self.assertEqual([log], list(folder.iterdir()))
        shutil.rmtree(folder)
        wait_for(lambda: min(self.site.last_collected().values()) >= self.site.end)
        self.assertIn("No such file or directory", self.stop(collector))

    def test_sighup_reopens_file_in_all_processes(self) -> None:
        self.configure()
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.log.rename(self.site.folder / "log.1")
        self.log.touch(0o640)
        collector.send_signal(signal.SIGHUP)
        self.wait_for_lines("configuration reloaded")
        self.wait_for_lines(RUN)
        self.stop(collector)


class LogReloadTest(LogTestCase):
    def test_sighup_reconfigures_parent_and_child(self) -> None:
        self.configure(rate_limit_interval=1, rate_limit_burst=10_000)
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        other = self.site.folder / "other"
        self.configure(other, debug=True, use_json=True, rate_limit_interval=1, rate_limit_burst=10_000)
        collector.send_signal(signal.SIGHUP)
        self.wait_for_lines(RUN, other)
        self.assertEqual("", self.stop(collector))
        lines = [json.loads(line) for line in other.read_text().splitlines()]
        talkative = {line["process"] for line in lines if line["levelname"] == "DEBUG"}
        self.assertIn(collector.pid, talkative)
        self.assertEqual(
            {line["process"] for line in lines if line["message"].startswith(RUN)}, talkative - {collector.pid}
        )

    def test_unwritable_file_keeps_old_configuration(self) -> None:
        self.configure()
        collector = self.site.collector()
        self.wait_for_lines(RUN)
        self.configure(self.site.folder / "nowhere" / "log")
        collector.send_signal(signal.SIGHUP)
        self.wait_for_lines("the new configuration is invalid; the old one stays in force: the log file")
        self.wait_for_lines(RUN, times=self.log.read_text().count(RUN) + 1)
        self.assertEqual("", self.stop(collector))
