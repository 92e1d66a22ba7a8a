# SPDX-License-Identifier: Apache-2.0
"""The demo, as somebody sees it who has installed the package."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import urllib.request
from typing import ClassVar

from distil.tests.support import clone

_SECONDS = 120


class DemoTest(unittest.TestCase):
    """It runs in an empty directory; nothing of the repository is near."""

    folder: ClassVar[pathlib.Path]
    environment: ClassVar[dict[str, str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        source, prefix = cls.folder / "source", cls.folder / "prefix"
        clone.copy(source)
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
        command = [sys.executable, "-m", "pip", "install", *options, "--prefix", str(prefix), str(source)]
        subprocess.run(command, check=True, env=os.environ | {"PBR_VERSION": "1.0.0"})
        own = sysconfig.get_path("purelib", vars={"base": str(prefix)})
        path = f"{prefix / 'bin'}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        (cls.folder / "tmp").mkdir()
        cls.environment = {**os.environ, "PATH": path, "PYTHONPATH": own, "TMPDIR": str(cls.folder / "tmp")}

    def demo(self, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["distil-sandbox", "demo", "--projects", "1", "--hours", "5", *options],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        return process

    def assert_nothing_left(self) -> None:
        self.assertEqual([], list((self.folder / "tmp").iterdir()))

    def test_all_hours_are_shown_in_order(self) -> None:
        process = self.demo()
        output, _ = process.communicate(timeout=_SECONDS)
        self.assertEqual(0, process.returncode, output)
        steps = (
            "A sandbox cloud",
            "distil-db-manage creates",
            "distil-collector collects 5 hours of usage from Ceilometer",
            " 10 of 10 windows in",
            r"\$ .*distil-manage .*usage summary",
            r"\| c1.c1r1 +\| second +\| 18000 +\| +5 \|",
            "Stopped.",
        )
        self.assertRegex(output, re.compile(".*".join(steps), re.DOTALL))
        self.assertNotRegex(output, "alembic|WARNING|Warning")
        table = [line for line in output.splitlines() if line.startswith(("|", "+"))]
        self.assertLessEqual(max(map(len, table)), 80)
        self.assert_nothing_left()

    def test_other_telemetry_services_are_read(self) -> None:
        for telemetry in ("gnocchi", "prometheus", "aetos"):
            with self.subTest(telemetry=telemetry):
                process = self.demo("--telemetry", telemetry)
                output, _ = process.communicate(timeout=_SECONDS)
                self.assertEqual(0, process.returncode, output)
                self.assertIn(f"5 hours of usage from {telemetry.title()}", output)
                self.assertRegex(output, r"\| c1.c1r1 +\| second +\| 18000 +\| +5 \|")
                self.assert_nothing_left()

    def test_more_hours_than_gnocchi_keeps_are_refused(self) -> None:
        process = self.demo("--telemetry", "gnocchi", "--hours", "721")
        output, _ = process.communicate(timeout=_SECONDS)
        self.assertEqual(1, process.returncode)
        self.assertEqual("distil-sandbox demo: Gnocchi keeps 720 hours; --hours 721 is too long\n", output)

    def test_printed_commands_and_addresses_work(self) -> None:
        process = self.demo("--keep")
        output = self.read_up_to(process, "Ctrl-C")
        pasted = re.findall(r"^  (\S*distil-manage .*)$", output, re.MULTILINE)
        self.assertEqual(["usage summary", "project list"], [" ".join(shlex.split(line)[3:]) for line in pasted])
        for line in pasted:
            self.assertIn("c1.c1r1" if "usage" in line else "project-0", self.output(line))
        (address,) = re.findall(r"Status page: (\S+)", output)
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            self.assertIn("<html", answer.read().decode())
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=_SECONDS)
        self.assertEqual((0, "Stopped."), (process.returncode, output.splitlines()[-1]))
        self.assert_nothing_left()

    def test_collector_exit_is_reported(self) -> None:
        process = self.demo("--keep")
        self.read_up_to(process, "Ctrl-C")
        (number,) = subprocess.run(
            ["ps", "--ppid", str(process.pid), "-o", "pid="], check=True, capture_output=True, text=True
        ).stdout.split()
        os.kill(int(number), signal.SIGTERM)
        output, _ = process.communicate(timeout=_SECONDS)
        self.assertEqual(1, process.returncode)
        self.assertIn("distil-sandbox demo: distil-collector exited with status 0; its log:", output)
        self.assert_nothing_left()

    def test_invalid_rules_are_reported(self) -> None:
        etc = self.folder / "etc"
        etc.mkdir()
        (etc / "meter_mappings.yml").write_text("- {meter: instance, unit: second, transformer: magic}\n")
        (etc / "transformer.yml").write_text("{}\n")
        process = self.demo("--etc", str(etc))
        output, _ = process.communicate(timeout=_SECONDS)
        self.assertEqual(1, process.returncode)
        self.assertRegex(output, "magic")
        self.assertIn("distil-sandbox demo: distil-collector exited with status 1; its log:", output)
        self.assert_nothing_left()

    def test_interrupt_stops_collection(self) -> None:
        process = self.demo("--hours", "500")
        self.read_up_to(process, "distil-collector collects 500 hours")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=_SECONDS)
        self.assertEqual((130, "Stopped before the end."), (process.returncode, output.splitlines()[-1]))
        self.assert_nothing_left()

    def read_up_to(self, process: subprocess.Popen[str], last: str) -> str:
        assert process.stdout is not None
        output = ""
        while last not in output:
            line = process.stdout.readline()
            self.assertTrue(line, f"the output ends before {last!r}:\n{output}")
            output += line
        return output

    def output(self, command: str) -> str:
        done = subprocess.run(
            shlex.split(command), check=True, capture_output=True, text=True, cwd=self.folder, env=self.environment
        )
        return done.stdout
