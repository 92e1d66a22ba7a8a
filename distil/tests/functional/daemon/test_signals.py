# SPDX-License-Identifier: Apache-2.0
"""Signals to the parent, and notifications of systemd."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Iterator

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support.collector_types import CollectorTypesTestCase
from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

_SLOW_RELOAD = """
import logging, sys, threading
from distil.daemon.signals import SignalManager
from distil.monitoring.reload_state import ReloadState
logging.basicConfig(stream=sys.stdout)
state = ReloadState()
SignalManager(None, [], threading.Event().wait, state, slow_reload_seconds=1).start()
print("started", flush=True)
while not state.problems():
    threading.Event().wait(0.1)
print(*state.problems(), flush=True)
threading.Event().wait()
"""


class SignalsTest(CollectorTypesTestCase):
    def started(self) -> dict[str, float]:
        self.collector = self.site.collector()
        return {name: self.wait_for_run(port) for name, port in self.ports.items()}

    def test_sigterm_and_sigint_exit_with_0(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                self.started()
                self.collector.send_signal(number)
                self.assertEqual(0, self.collector.wait(30))
                self.assertEqual([{}, {}], [metrics(port) for port in self.ports.values()])

    def test_process_group_sigint_exits_with_0(self) -> None:
        self.started()
        os.killpg(os.getpgid(self.collector.pid), signal.SIGINT)
        self.assertEqual(0, self.collector.wait(30))

    def test_repeated_signals_do_not_delay_shutdown(self) -> None:
        _limit_shutdown(self.site)
        self.started()
        os.kill(self.pid_of("one"), signal.SIGSTOP)
        began = time.monotonic()
        while self.collector.poll() is None and time.monotonic() - began < 20:
            self.collector.send_signal(signal.SIGTERM)
            time.sleep(0.5)
        self.assertEqual(1, self.collector.wait(1))
        self.assertLess(time.monotonic() - began, 10)

    def test_stopped_child_is_killed_after_timeout(self) -> None:
        _limit_shutdown(self.site)
        self.started()
        stopped = self.pid_of("one")
        os.kill(stopped, signal.SIGSTOP)
        self.collector.send_signal(signal.SIGTERM)
        self.assertEqual(1, self.collector.wait(30))
        self.assertIn("graceful_shutdown_timeout (2 seconds) exceeded", self.log.read_text())
        wait_for(lambda: not pathlib.Path(f"/proc/{stopped}").exists())

    def test_sigterm_during_startup_exits_with_0(self) -> None:
        os.mkfifo(self.site.folder / "blocks")
        self.configure(meter_mappings_file=self.site.folder / "blocks", misspelt="logged before the files are read")
        collector = self.site.collector()
        self.wait_for_log("misspelt")
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, collector.wait(10))

    def test_blocked_reload_does_not_delay_sigterm(self) -> None:
        self.started()
        path = self.site.folder / "blocks"
        os.mkfifo(path)
        self.configure(meter_mappings_file=path)
        self.collector.send_signal(signal.SIGHUP)
        with _writer(path):
            self.collector.send_signal(signal.SIGTERM)
            self.assertEqual(0, self.collector.wait(30))

    def test_sighup_reloads_configuration(self) -> None:
        ends = self.started()
        before = self.site.usage()
        self.configure(max_windows_per_cycle=0)
        self.collector.send_signal(signal.SIGHUP)
        for name, port in self.ports.items():
            self.wait_for_run(port, after=ends[name])
        self.assertEqual(before, self.site.usage())
        self.assertIn("configuration reloaded", self.log.read_text())

    def test_invalid_configuration_is_logged_and_ignored(self) -> None:
        ends = self.started()
        pids = {self.pid_of(name) for name in self.ports}
        for wrong, reason in (
            ({"meter_mappings_file": "/nowhere"}, "/nowhere cannot be read"),
            ({"collect_window": 0}, "collect_window"),
            ({"partitioning_suffix": "caf\udce9"}, "utf-8"),
            ({"workers": 2}, "requires a restart"),
            ({"enabled": "one"}, "a change of collectors or workers requires a restart"),
        ):
            with self.subTest(reason=reason):
                self.configure(**wrong)
                self.collector.send_signal(signal.SIGHUP)
                self.wait_for_log(reason)
        self.assertEqual(pids, {self.pid_of(name) for name in self.ports})
        self.configure()
        self.collector.send_signal(signal.SIGHUP)
        for name, port in self.ports.items():
            self.wait_for_run(port, after=ends[name])

    def test_reload_logs_every_invalid_value(self) -> None:
        self.started()
        self.site.configure(sections={"DEFAULT": {"debug": "perhaps", "log_file": self.log}}, workers=0)
        self.collector.send_signal(signal.SIGHUP)
        problem = f"{self.site.config}: [DEFAULT] debug = perhaps: must be true or false"
        self.wait_for_log(f"is invalid; the old one stays in force: {problem}")
        self.wait_for_log("[collector] workers = 0: must be a whole number, at least 1")
        self.configure()
        self.collector.send_signal(signal.SIGHUP)
        self.wait_for_log("SIGHUP: configuration reloaded.")

    def test_occupied_port_keeps_old_configuration(self) -> None:
        self.started()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.groups["collector:two"]["exporter_port"] = taken.getsockname()[1]
            self.configure()
            self.collector.send_signal(signal.SIGHUP)
            self.wait_for_log("Address already in use")
        self.assertIn("[collector:two] exporter_host and exporter_port", self.log.read_text())
        self.assertIn("distil_collector_last_run_end", metrics(self.ports["two"]))

    def test_port_change_allows_further_reloads(self) -> None:
        ends = self.started()
        self.ports["two"] = free_port()
        self.groups["collector:two"]["exporter_port"] = self.ports["two"]
        for windows in (1, 2):
            self.configure(max_windows_per_cycle=windows)
            self.collector.send_signal(signal.SIGHUP)
            ends = {name: self.wait_for_run(port, after=ends[name]) for name, port in self.ports.items()}
        self.assertNotIn("stays in force", self.log.read_text())

    def test_signals_work_without_notify_listener(self) -> None:
        self.site.environment = {"NOTIFY_SOCKET": str(self.site.folder / "missing")}
        ends = self.started()
        self.collector.send_signal(signal.SIGHUP)
        for name, port in self.ports.items():
            self.wait_for_run(port, after=ends[name])
        self.collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.collector.wait(30))

    def test_systemd_is_notified_of_state_changes(self) -> None:
        path, notifications = str(self.site.folder / "notify"), list[str]()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            listener = threading.Thread(target=_listen, args=(manager, notifications))
            listener.start()
            self.site.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000"}
            ends = self.started()
            wait_for(lambda: "WATCHDOG=1" in notifications)
            self.collector.send_signal(signal.SIGHUP)
            for name, port in self.ports.items():
                self.wait_for_run(port, after=ends[name])
            self.collector.send_signal(signal.SIGTERM)
            self.assertEqual(0, self.collector.wait(30))
            manager.shutdown(socket.SHUT_RD)
            listener.join()
        states = [state for state in notifications if state != "WATCHDOG=1"]
        self.assertEqual(["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"], states)


class SlowReloadTest(unittest.TestCase):
    def test_slow_reload_is_logged(self) -> None:
        with subprocess.Popen([sys.executable, "-c", _SLOW_RELOAD], stdout=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            assert process.stdout is not None
            self.assertEqual("started\n", process.stdout.readline())
            process.send_signal(signal.SIGHUP)
            self.assertIn("the configuration has not been read after 1 seconds", process.stdout.readline())
            self.assertRegex(process.stdout.readline(), "^SIGHUP at .* is not in force, .*: a file may be a FIFO")
            process.kill()


class EndTimeSignalsTest(unittest.TestCase):
    def test_repeated_signals_release_leases(self) -> None:
        site = self.enterContext(Site(databases.MYSQL, projects=3, resources=2))
        site.cloud.faults.set_latency("metering", 0.5)
        collector = site.collector("--collect-end-time", site.end.isoformat())
        leases = sa.select(sa.func.count()).select_from(models.project_locks)
        wait_for(lambda: site.rows(leases)[0][0])
        for _ in range(3):
            collector.send_signal(signal.SIGTERM)
            time.sleep(0.005)
        self.assertEqual(1, collector.wait(30))
        self.assertEqual(0, site.rows(leases)[0][0])

    def test_sigterm_during_startup_exits_with_1(self) -> None:
        site = self.enterContext(Site())
        os.mkfifo(site.folder / "blocks")
        log = site.folder / "log"
        site.configure(
            sections={"DEFAULT": {"log_file": log}},
            meter_mappings_file=site.folder / "blocks",
            misspelt="logged before",
        )
        collector = site.collector("--collect-end-time", site.end.isoformat())
        wait_for(lambda: log.exists() and "misspelt" in log.read_text())
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(1, collector.wait(10))


class GracefulTimeoutTest(unittest.TestCase):
    def test_transaction_beyond_timeout_exits_with_1(self) -> None:
        site = self.enterContext(Site(databases.MYSQL, projects=1, resources=1))
        site.collect(site.start + HOUR)
        _limit_shutdown(site)
        waits = sa.text(
            "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'UPDATE tenants%'"
        )
        with site.engine.begin() as other:
            other.execute(sa.select(models.tenants).with_for_update())
            collector = site.collector()
            wait_for(lambda: site.rows(waits)[0][0])
            collector.send_signal(signal.SIGTERM)
            self.assertEqual(1, collector.wait(30))
        site.collect()
        self.assertEqual({site.end}, set(site.last_collected().values()))


def _limit_shutdown(site: Site) -> None:
    with site.config.open("a") as file:
        file.write("[DEFAULT]\ngraceful_shutdown_timeout = 2\n")


def _listen(manager: socket.socket, notifications: list[str]) -> None:
    while notification := manager.recv(200):
        notifications.append(notification.decode().split("\n")[0])


@contextlib.contextmanager
def _writer(fifo: pathlib.Path) -> Iterator[None]:
    """Wait for a reader of the FIFO, and have it wait for what is never written."""
    opened: list[int] = []

    def is_read() -> bool:
        with contextlib.suppress(OSError):  # nothing has opened it yet
            opened.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    wait_for(is_read)
    try:
        yield
    finally:
        os.close(opened[0])
