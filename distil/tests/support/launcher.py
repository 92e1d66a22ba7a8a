# SPDX-License-Identifier: Apache-2.0
"""Several collectors under one parent."""

import os
import pathlib
import unittest
from typing import Any

from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site


class LauncherTestCase(unittest.TestCase):
    """Two collectors, for one domain each, with three projects in total."""

    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=4, resources=1))
        self.ports = {"one": free_port(), "two": free_port()}
        self.log = self.site.folder / "log"
        domains = {"one": "Default", "two": "customers"}
        self.groups = {
            f"collector:{name}": {"include_domains": domains[name], "exporter_port": port}
            for name, port in self.ports.items()
        }
        self.configure()

    def configure(self, enabled: str = "one, two", **collector: Any) -> None:
        sections = {"DEFAULT": {"enabled_collectors": enabled, "log_file": self.log}, **self.groups}
        self.site.configure(sections=sections, enable_exporter=True, exporter_host="127.0.0.1", **collector)

    def wait_for_run(self, port: int, after: float = 0) -> float:
        """When a run of the collector with that exporter has ended, later than ``after``."""
        wait_for(lambda: metrics(port).get("distil_collector_last_run_end", 0) > after)
        return metrics(port)["distil_collector_last_run_end"]

    def wait_for_log(self, text: str, times: int = 1) -> None:
        wait_for(lambda: self.log.exists() and self.log.read_text().count(text) >= times)

    def pid_of(self, name: str) -> int:
        """Of the child that listens on the port of that collector's exporter."""
        inodes = {
            fields[9]
            for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
            if (fields := line.split())[3] == "0A" and int(fields[1].split(":")[1], 16) == self.ports[name]
        }
        for fd in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
            try:
                target = os.readlink(fd)
            except OSError:
                continue
            if target.startswith("socket:[") and target[8:-1] in inodes:
                return int(fd.parts[2])
        raise AssertionError(f"no process listens on {self.ports[name]}")
