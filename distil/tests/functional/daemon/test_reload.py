# SPDX-License-Identifier: Apache-2.0
"""Reloads of a configuration whose files change while it is reloaded."""

import os
import pathlib
import signal
import unittest
import urllib.request
from collections.abc import Mapping
from typing import Any

from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import ETC
from distil.tests.support.site import Site


class _ReloadTestCase(unittest.TestCase):
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


class RefusedReloadTest(_ReloadTestCase):
    """The files are invalid, and the old configuration stays in force."""

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as response:
            text: str = response.read().decode()
        return text

    def successful(self) -> float:
        return metrics(self.port)["distil_collector_config_last_reload_successful"]

    def test_refusal_is_told_until_success(self) -> None:
        self.assertEqual((1, "OK"), (self.successful(), self.page("/health")))
        self.configure(concurrency=999)
        self.collector.send_signal(signal.SIGHUP)
        wait_for(lambda: not self.successful())
        for path in ("/health", "/"):
            self.assertRegex(
                self.page(path), "SIGHUP at .* UTC: the new configuration is not in force, .*restart.*concurrency"
            )
        self.configure()
        self.collector.send_signal(signal.SIGHUP)
        wait_for(lambda: metrics(self.port).get("distil_collector_config_last_reload_successful"))
        self.wait_for_run()
        self.assertEqual("OK", self.page("/health"))

    def test_replaced_process_knows_the_refusal(self) -> None:
        self.configure(concurrency=999)
        self.collector.send_signal(signal.SIGHUP)
        wait_for(lambda: not self.successful())
        started = metrics(self.port)["process_start_time_seconds"]
        threads = pathlib.Path(f"/proc/{self.collector.pid}/task").glob("*/children")
        (child,) = (number for children in threads for number in children.read_text().split())
        os.kill(int(child), signal.SIGKILL)
        wait_for(lambda: metrics(self.port).get("process_start_time_seconds", started) > started)
        self.assertEqual(0, self.successful())


class ChangedFilesTest(_ReloadTestCase):
    """The files become invalid after their validation, before they are read again."""

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
