# SPDX-License-Identifier: Apache-2.0
"""Slow, silent and stuck clients, which must not affect the collector."""

import pathlib
import socket
import ssl
import threading
import time
import unittest
import urllib.request
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import Gauge

from distil.exporter.pages import MetricsPage
from distil.exporter.server import Exporter
from distil.tests.support.certificates import Authority
from distil.tests.support.processes import children
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site

CLIENTS = 200
MAX_THREADS = 100
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


class StuckClientsTest(unittest.TestCase):
    """With a real process that keeps collecting: the cloud's usage of four hours takes it many runs."""

    tls = False

    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.port = free_port()
        options: dict[str, Any] = {"exporter_host": "127.0.0.1", "exporter_port": self.port}
        self.context = None
        if self.tls:
            authority = Authority(self.site.folder)
            options["exporter_certfile"], options["exporter_keyfile"] = authority.issue()
            self.context = ssl.create_default_context(cafile=authority.file)
        self.site.configure(enable_exporter=True, periodic_interval=1, **options)
        self.collector = self.site.collector("--log-file", str(self.site.folder / "collector.log"))
        wait_for(self.is_listening)
        wait_for(lambda: self.last_run_end() > 0)

    def is_listening(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def scrape(self) -> str:
        url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=30, context=self.context) as response:
            text: str = response.read().decode()
        return text

    def last_run_end(self) -> float:
        (line,) = (line for line in self.scrape().splitlines() if line.startswith("distil_collector_last_run_end "))
        return float(line.split()[1])

    def count_threads(self) -> int:
        """Counts the threads of all processes of the collector."""
        workers = children(self.collector.pid)
        self.assertTrue(workers)
        pids = [self.collector.pid, *workers]
        return sum(len(list(pathlib.Path(f"/proc/{pid}/task").iterdir())) for pid in pids)

    def connect(self, sent: bytes, clients: int = CLIENTS) -> list[socket.socket]:
        return [self.enterContext(stuck_client(self.port, sent)) for _ in range(clients)]

    def assert_unaffected(self, kind: str) -> None:
        """Asserts that scrapes succeed, runs continue, and the number of threads is limited."""
        before = self.last_run_end()
        self.assertLess(self.count_threads(), MAX_THREADS, kind)
        durations = []
        for _ in range(5):
            started = time.monotonic()
            self.scrape()
            durations.append(time.monotonic() - started)
        self.assertLess(max(durations), 5, kind)
        wait_for(lambda: self.last_run_end() > before)

    def test_scrapes_and_runs_continue(self) -> None:
        initial = self.count_threads()
        clients = []
        for kind, sent in {
            "silent": b"",
            "incomplete request": REQUEST[:-2],
            "never reads": REQUEST,
            "incomplete handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        }.items():
            clients += self.connect(sent)
            self.assert_unaffected(kind)
        for client in clients:
            client.close()
        wait_for(lambda: self.count_threads() <= initial)

    def test_slow_sender_is_disconnected(self) -> None:
        client = self.connect(b"GET ", clients=1)[0]
        started = time.monotonic()
        with self.assertRaises(OSError):
            while time.monotonic() < started + 60:
                client.sendall(b"a")
                time.sleep(0.2)
        self.assertLess(time.monotonic() - started, 20)


class StuckTlsClientsTest(StuckClientsTest):
    tls = True


class BlockedReadersTest(unittest.TestCase):
    """Responses exceed the socket buffers, so that each client that does not read blocks a thread."""

    def test_threads_are_bounded_and_scrapes_succeed(self) -> None:
        registry = CollectorRegistry()
        gauge = Gauge("large", "A large metric.", ["label"], registry=registry)
        for number in range(100):
            gauge.labels(f"{number}" * 100_000).set(1)
        exporter = Exporter({"/metrics": MetricsPage(registry)}, "127.0.0.1", 0)
        exporter.start()
        self.addCleanup(exporter.stop)
        initial = threading.active_count()
        clients = [self.enterContext(stuck_client(exporter.port, REQUEST)) for _ in range(CLIENTS)]
        url = f"http://127.0.0.1:{exporter.port}/metrics"
        for _ in range(3):
            with urllib.request.urlopen(url, timeout=60) as response:
                self.assertGreater(len(response.read()), 10_000_000)
        blocked = threading.active_count() - initial
        self.assertGreater(blocked, 10, "the clients did not block threads")
        # Long before their responses time out: the threads of replaced connections end as soon as they are scheduled.
        wait_for(lambda: threading.active_count() - initial < MAX_THREADS, seconds=20)
        for client in clients:
            client.close()
        wait_for(lambda: threading.active_count() <= initial)


def stuck_client(port: int, sent: bytes) -> socket.socket:
    """Returns a client that has sent something, and neither sends more nor reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(sent)
    return client
