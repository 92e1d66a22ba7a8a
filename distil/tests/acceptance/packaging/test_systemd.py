# SPDX-License-Identifier: Apache-2.0
"""What systemd says of the units that are shipped."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from distil.tests.support import requirements
from distil.tests.support.processes import script

UNITS = pathlib.Path(__file__).parents[4] / "etc" / "systemd"
NAMES = ("distil-collector.service", "distil-collector@.service")
PROGRAM = script("distil-collector")

# Exposure, of 100; the manual calls it OK from 20 to 49. A unit without any protection has 96.
_EXPOSURE = "15"


class SystemdUnitsTest(unittest.TestCase):
    def setUp(self) -> None:
        analyze = requirements.program("systemd-analyze")
        self.verify = (analyze, "verify")
        self.security = (analyze, "security", "--offline=true", f"--threshold={_EXPOSURE}", "--no-pager")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def unit(self, name: str) -> pathlib.Path:
        """A unit for the collector of this environment; systemd looks whether it can be executed."""
        unit = self.folder / name
        unit.write_text((UNITS / name).read_text().replace("/opt/distil/bin/distil-collector", str(PROGRAM)))
        self.assertIn(str(PROGRAM), unit.read_text())
        return unit

    def run_over(self, command: tuple[str, ...], unit: pathlib.Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, str(unit)], capture_output=True, text=True, check=False)

    def test_verify_finds_no_errors(self) -> None:
        for name in NAMES:
            done = self.run_over(self.verify, self.unit(name))
            self.assertEqual((0, ""), (done.returncode, done.stderr), name)

    def test_verify_reports_misspelt_setting(self) -> None:
        unit = self.unit(NAMES[0])
        unit.write_text(unit.read_text().replace("WatchdogSec", "WatchDogSeconds"))
        self.assertIn("WatchDogSeconds", self.run_over(self.verify, unit).stderr)

    def test_exposure_is_within_threshold(self) -> None:
        for name in NAMES:
            done = self.run_over(self.security, self.unit(name))
            self.assertEqual(0, done.returncode, done.stdout)


class UnitTemplateTest(unittest.TestCase):
    def test_template_differs_only_in_collector(self) -> None:
        one, template = [(UNITS / name).read_text() for name in NAMES]
        self.assertIn(" --collector %i\n", template)
        self.assertEqual(one, re.sub(r" (--collector )?%i$", "", template, flags=re.MULTILINE))
