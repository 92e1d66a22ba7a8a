# SPDX-License-Identifier: Apache-2.0
"""How often metrics are rendered."""

import threading
import unittest
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from distil.exporter.pages import MetricsFormat


class Counting(Collector):
    """Its value is how often it was asked; it answers once it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.entered = threading.Event()
        self.released = threading.Event()

    def collect(self) -> Iterator[Metric]:
        self.asked += 1
        asked = self.asked
        self.entered.set()
        if not self.released.wait(30):
            raise AssertionError("nobody let it go on")
        yield GaugeMetricFamily("asked", "How often.", value=asked)


class MetricsPageTest(unittest.TestCase):
    def setUp(self) -> None:
        self.metrics = Counting()
        registry = CollectorRegistry()
        registry.register(self.metrics)
        self.page = MetricsFormat(registry, "")

    def test_sequential_requests_render_anew(self) -> None:
        self.metrics.released.set()
        for count in (1, 2, 3):
            self.assertIn(f"asked {count}.0", self.page.render().body.decode())

    def test_waiting_requests_share_later_rendering(self) -> None:
        bodies: list[bytes] = []
        threads = [threading.Thread(target=lambda: bodies.append(self.page.render().body)) for _ in range(20)]
        threads[0].start()
        self.assertTrue(self.metrics.entered.wait(30))
        for thread in threads[1:]:
            thread.start()
        self.metrics.released.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(20, len(bodies))
        self.assertEqual(
            1, sum(b"asked 1.0" in body for body in bodies), "who asks later must not get what began before"
        )
        self.assertLess(self.metrics.asked, 20)

    def test_failed_rendering_is_retried(self) -> None:
        registry = CollectorRegistry()
        failing = Failing()
        registry.register(failing)
        page = MetricsFormat(registry, "")
        self.assertRaises(ValueError, page.render)
        self.assertIn("fine 1.0", page.render().body.decode())


class Failing(Collector):
    """Fails the first time."""

    failed = False

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        if not self.failed:
            self.failed = True
            raise ValueError("once")
        yield GaugeMetricFamily("fine", "It is.", value=1)
