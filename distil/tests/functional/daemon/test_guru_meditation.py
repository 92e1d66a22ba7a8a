# SPDX-License-Identifier: Apache-2.0
"""The report that a process writes at SIGUSR2."""

import os
import pathlib
import re
import signal
import subprocess
import urllib.parse

import sqlalchemy as sa

from distil.tests.acceptance.security.test_no_secrets import NoSecretsTest
from distil.tests.support import databases
from distil.tests.support.processes import children
from distil.tests.support.processes import wait_for
from distil.tests.support.secrets import mariadb_user
from distil.tests.support.secrets import secret

RUN = "Run of collector"


class GuruMeditationReportTest(NoSecretsTest):
    backend = databases.MYSQL

    def setUp(self) -> None:
        super().setUp()
        database_password, backend_password = secret(), secret()
        self.hidden |= {database_password, backend_password}
        connection = self.enterContext(mariadb_user(self.site.url, database_password))
        self.assertEqual(database_password, sa.make_url(connection).password)
        self.write({"periodic_interval": 1}, connection=connection)
        with self.site.config.open("a") as file:
            key = urllib.parse.quote_plus(backend_password)
            file.write(f"[coordination]\nbackend_url = file://{self.site.folder}/ring?key={key}\n")
        self.log = self.site.folder / "log"

    def report_to(self, directory: pathlib.Path | str) -> None:
        with self.site.config.open("a") as file:
            file.write(f"[oslo_reports]\nlog_dir = {directory}\n")

    def started(self) -> tuple[subprocess.Popen[str], int]:
        collector = self.site.collector("--log-file", str(self.log))
        self.wait_for_a_run()
        (child,) = children(collector.pid)
        return collector, child

    def runs(self) -> int:
        return self.log.read_text().count(RUN) if self.log.exists() else 0

    def wait_for_a_run(self) -> None:
        before = self.runs()
        wait_for(lambda: self.runs() > before)

    def stop(self, collector: subprocess.Popen[str]) -> str:
        collector.send_signal(signal.SIGTERM)
        output, _ = collector.communicate(timeout=60)
        self.assertEqual(0, collector.returncode, output)
        return output

    def assert_complete(self, report: str, frame: str) -> None:
        """It shows a thread's frame, and the configuration with its secrets masked."""
        self.assertIn(frame, report)
        for option in ("password", "connection", "backend_url"):
            self.assertRegex(report, rf"(?m)^  {option} = \*\*\*$")
        self.assertRegex(report, r"(?m)^  periodic_interval = 1$")
        self.assert_none(report)

    def test_parent_and_child_write_report_files(self) -> None:
        directory = self.site.folder / "reports"
        directory.mkdir()
        self.report_to(directory)
        collector, child = self.started()
        for pid, frame in ((collector.pid, "in _handle_signals"), (child, "distil/daemon/service.py")):
            os.kill(pid, signal.SIGUSR2)
            wait_for(lambda pid=pid: f"{pid}_gurumeditation" in self.log.read_text())  # type: ignore[misc]
            (path,) = directory.glob(f"distil-collector-{pid}_gurumeditation_*")
            self.assert_complete(path.read_text(), frame)
        self.wait_for_a_run()
        self.assertEqual([child], children(collector.pid))
        self.stop(collector)

    def test_writes_to_stderr_without_log_dir(self) -> None:
        collector, _ = self.started()
        collector.send_signal(signal.SIGUSR2)
        self.wait_for_a_run()
        self.wait_for_a_run()
        self.assert_complete(self.stop(collector), "in _handle_signals")

    def test_missing_log_dir_keeps_collector_running(self) -> None:
        self.report_to("/nowhere")
        collector, child = self.started()
        os.kill(child, signal.SIGUSR2)
        wait_for(lambda: re.search("the report could not be written: .*/nowhere", self.log.read_text()))
        self.wait_for_a_run()
        self.assertEqual("", self.stop(collector))

    def test_sigusr2_during_startup_keeps_process_running(self) -> None:
        collector = self.site.collector("--log-file", str(self.log))
        wait_for(lambda: _survives(collector.pid, signal.SIGUSR2))
        collector.send_signal(signal.SIGUSR2)
        self.wait_for_a_run()
        self.assertIsNone(collector.poll())
        self.stop(collector)


def _survives(pid: int, number: int) -> bool:
    """Whether the process ignores or catches a signal."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    masks = re.findall(r"^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$", status, re.MULTILINE)
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
