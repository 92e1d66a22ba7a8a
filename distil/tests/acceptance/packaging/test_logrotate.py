# SPDX-License-Identifier: Apache-2.0
"""A real logrotate, by the file that is shipped, over the log of a collector that runs."""

import getpass
import grp
import os
import pathlib
import re
import signal
import subprocess
import unittest

from distil.tests.support import requirements
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site

RULES = pathlib.Path(__file__).parents[4] / "etc" / "logrotate.d" / "distil-collector"


class LogrotateTest(unittest.TestCase):
    def setUp(self) -> None:
        self.logrotate = requirements.program("logrotate")
        self.site = self.enterContext(Site(projects=1))
        self.folder = self.site.folder / "log"
        self.folder.mkdir(mode=0o750)
        self.log = self.folder / "collector.log"
        user = f"{getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name}"
        rules = RULES.read_text().replace("/var/log/distil", str(self.folder)).replace("distil distil", user)
        self.rules = self.site.folder / "logrotate.conf"
        self.rules.write_text(rules)

    def rotate(self) -> None:
        state = self.site.folder / "state"
        command = [self.logrotate, "--force", "--state", str(state), str(self.rules)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def pids(self) -> set[str]:
        """Of the processes with lines in the log as it is now."""
        return set(re.findall(r"^\S+ \S+ (\d+) ", self.log.read_text(), re.MULTILINE))

    def test_processes_reopen_rotated_log(self) -> None:
        self.site.configure(sections={"DEFAULT": {"log_file": self.log}}, periodic_interval=1)
        parent = self.site.collector()
        wait_for(lambda: self.log.exists() and self.pids())
        self.rotate()
        old = self.folder / "collector.log.1"
        said = old.read_text()
        wait_for(self.pids)
        parent.send_signal(signal.SIGTERM)
        self.assertEqual(0, parent.wait(30))
        self.assertIn(str(parent.pid), self.pids())
        self.assertGreater(len(self.pids()), 1)
        self.assertEqual(said, old.read_text())

    def test_second_rotation_compresses_old_log(self) -> None:
        self.log.write_text("a line\n")
        self.rotate()
        self.log.write_text("another line\n")
        self.rotate()
        self.assertEqual(
            ["collector.log", "collector.log.1", "collector.log.2.gz"],
            sorted(path.name for path in self.folder.iterdir()),
        )
