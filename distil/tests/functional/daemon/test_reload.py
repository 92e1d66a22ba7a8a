# SPDX-License-Identifier: Apache-2.0
"""Reloads of a configuration whose files change while it is reloaded."""

import os
import signal
import unittest
from collections.abc import Mapping
from typing import Any

from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import ETC
from distil.tests.support.site import Site


class ChangedFilesTest(unittest.TestCase):
    """The files become invalid after their validation, before they are read again."""

    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=1, resources=1))
        self.log = self.site.folder / "log"
        self.port = free_port()
        self.configure()
        self.collector = self.site.collector()
        self.wait_for_run()

    def configure(self, default: Mapping[str, object] | None = None, **collector: Any) -> None:
        self.site.configure(
            sections={"DEFAULT": {"log_file": self.log, **(default or {})}},
            enable_exporter=True,
            exporter_host="127.0.0.1",
            exporter_port=self.port,
            **collector,
        )

    def wait_for_run(self) -> None:
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end"))

    def wait_for_log(self, text: str) -> None:
        wait_for(lambda: text in self.log.read_text())

    def reload(self, default: Mapping[str, object] | None = None, **invalid: object) -> None:
        """Reload a valid configuration, and make it invalid once its values have been validated."""
        mappings = self.site.folder / "mappings"
        os.mkfifo(mappings)
        self.configure(meter_mappings_file=mappings)
        self.collector.send_signal(signal.SIGHUP)
        with mappings.open("w") as file:
            self.configure(default, **invalid)
            file.write((ETC / "meter_mappings.yml").read_text())

    def reload_invalid_collector(self) -> None:
        self.reload(concurrency=999)
        self.wait_for_log("The configuration that was reloaded is invalid")

    def test_next_reload_restores_collection(self) -> None:
        self.reload_invalid_collector()
        self.configure()
        self.collector.send_signal(signal.SIGHUP)
        self.wait_for_run()

    def test_processes_are_started_with_delay(self) -> None:
        self.reload_invalid_collector()
        self.wait_for_log("The previous process exited early; this one starts in 2 seconds.")

    def test_sigterm_exits_with_0(self) -> None:
        self.reload_invalid_collector()
        self.collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.collector.wait(30))

    def test_invalid_timeout_does_not_prevent_shutdown(self) -> None:
        self.reload({"graceful_shutdown_timeout": "soon"})
        wait_for(lambda: self.log.read_text().count("Run of collector") > 1)
        self.collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.collector.wait(30))
