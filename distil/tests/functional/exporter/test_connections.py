# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, silent or stuck, and a collector that must not care."""

import pathlib
import socket
import ssl
import subprocess
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
from distil.tests.support.site import Site
from distil.tests.support.site import free_port
from distil.tests.support.site import wait_for

CLIENTS = 200
MOST_THREADS = 100
WHOLE = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


class StuckClientsTest(unittest.TestCase):
    """Against a real process that goes on collecting; the cloud's usage of four hours takes it many runs."""

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
        wait_for(self.listens)
        wait_for(lambda: self.runs() > 0)

    def listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def scrape(self) -> str:
        url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=30, context=self.context) as answer:
            text: str = answer.read().decode()
        return text

    def runs(self) -> float:
        """When the last run ended."""
        (line,) = (line for line in self.scrape().splitlines() if line.startswith("distil_collector_last_run_end "))
        return float(line.split()[1])

    def threads(self) -> int:
        """Of all the collector's processes."""
        forked = children(self.collector)
        self.assertTrue(forked)
        pids = [self.collector.pid, *forked]
        return sum(len(list(pathlib.Path(f"/proc/{pid}/task").iterdir())) for pid in pids)

    def stick(self, sent: bytes, clients: int = CLIENTS) -> list[socket.socket]:
        return [self.enterContext(stuck_client(self.port, sent)) for _ in range(clients)]

    def assert_at_ease(self, kind: str) -> None:
        """Scrapes are answered, runs go on, threads are few."""
        before = self.runs()
        self.assertLess(self.threads(), MOST_THREADS, kind)
        took = []
        for _ in range(5):
            started = time.monotonic()
            self.scrape()
            took.append(time.monotonic() - started)
        self.assertLess(max(took), 5, kind)
        wait_for(lambda: self.runs() > before)

    def test_scrapes_and_runs_continue(self) -> None:
        few = self.threads()
        stuck = []
        for kind, sent in {
            "silent": b"",
            "half a request": WHOLE[:-2],
            "never reads": WHOLE,
            "half a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        }.items():
            stuck += self.stick(sent)
            self.assert_at_ease(kind)
        for client in stuck:
            client.close()
        wait_for(lambda: self.threads() <= few)

    def test_slow_sender_is_disconnected(self) -> None:
        client = self.stick(b"GET ", clients=1)[0]
        started = time.monotonic()
        with self.assertRaises(OSError):
            while time.monotonic() < started + 60:
                client.sendall(b"a")
                time.sleep(0.2)
        self.assertLess(time.monotonic() - started, 20)


class StuckTlsClientsTest(StuckClientsTest):
    tls = True


class BlockedReadersTest(unittest.TestCase):
    """Answers that are more than the sockets' buffers hold, so that each stuck reader blocks its thread."""

    def test_threads_are_bounded_and_scrapes_succeed(self) -> None:
        registry = CollectorRegistry()
        gauge = Gauge("large", "Large.", ["label"], registry=registry)
        for number in range(100):
            gauge.labels(f"{number}" * 100_000).set(1)
        exporter = Exporter({"/metrics": MetricsPage(registry)}, "127.0.0.1", 0)
        exporter.start()
        self.addCleanup(exporter.stop)
        few = threading.active_count()
        clients = [self.enterContext(stuck_client(exporter.port, WHOLE)) for _ in range(CLIENTS)]
        url = f"http://127.0.0.1:{exporter.port}/metrics"
        for _ in range(3):
            with urllib.request.urlopen(url, timeout=60) as answer:
                self.assertGreater(len(answer.read()), 10_000_000)
        held = threading.active_count() - few
        self.assertGreater(held, 10, "they did not block")
        self.assertLess(held, MOST_THREADS)
        for client in clients:
            client.close()
        wait_for(lambda: threading.active_count() <= few)


def stuck_client(port: int, sent: bytes) -> socket.socket:
    """A client that sends something, and nothing more, and never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(sent)
    return client


def children(process: subprocess.Popen[str]) -> list[int]:
    """Of all its threads, each of which may have forked."""
    listed = pathlib.Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(pid) for each in listed for pid in each.read_text().split()]
