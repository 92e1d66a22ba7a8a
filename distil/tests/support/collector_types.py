# SPDX-License-Identifier: Apache-2.0
"""Two collector types, run by one parent process."""

import os
import pathlib
import unittest
from typing import Any

from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site


class CollectorTypesTestCase(unittest.TestCase):
    """Configures the types ``one`` and ``two``, each for one of two domains, with three projects between them."""

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
        """Wait for a run to end later than ``after``, as the exporter at that port shows, and return its end."""
        wait_for(lambda: metrics(port).get("distil_collector_last_run_end", 0) > after)
        return metrics(port)["distil_collector_last_run_end"]

    def wait_for_log(self, text: str, times: int = 1) -> None:
        wait_for(lambda: self.log.exists() and self.log.read_text().count(text) >= times)

    def pid_of(self, name: str) -> int:
        """Return the process that listens on the port of a type's exporter."""
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
        raise AssertionError(f"no process listens on port {self.ports[name]}")
