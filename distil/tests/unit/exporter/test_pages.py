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


class CountingCollector(Collector):
    """Its value is the number of its collections, each of which blocks until ``released`` is set."""

    def __init__(self) -> None:
        self.collections = 0
        self.entered = threading.Event()
        self.released = threading.Event()

    def collect(self) -> Iterator[Metric]:
        self.collections += 1
        number = self.collections
        self.entered.set()
        if not self.released.wait(30):
            raise AssertionError("not released within 30 s")
        yield GaugeMetricFamily("collections", "Number of collections.", value=number)


class MetricsPageTest(unittest.TestCase):
    def setUp(self) -> None:
        self.collector = CountingCollector()
        registry = CollectorRegistry()
        registry.register(self.collector)
        self.page = MetricsFormat(registry, "")

    def test_sequential_requests_render_anew(self) -> None:
        self.collector.released.set()
        for count in (1, 2, 3):
            self.assertIn(f"collections {count}.0", self.page.render().body.decode())

    def test_waiting_requests_share_later_rendering(self) -> None:
        bodies: list[bytes] = []
        threads = [threading.Thread(target=lambda: bodies.append(self.page.render().body)) for _ in range(20)]
        threads[0].start()
        self.assertTrue(self.collector.entered.wait(30))
        for thread in threads[1:]:
            thread.start()
        self.collector.released.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(20, len(bodies))
        self.assertEqual(
            1,
            sum(b"collections 1.0" in body for body in bodies),
            "a later request got a rendering that had started before it",
        )
        self.assertLess(self.collector.collections, 20)

    def test_failed_rendering_is_retried(self) -> None:
        registry = CollectorRegistry()
        registry.register(FailingCollector())
        page = MetricsFormat(registry, "")
        self.assertRaises(ValueError, page.render)
        self.assertIn("fine 1.0", page.render().body.decode())


class FailingCollector(Collector):
    """Fails once."""

    failed = False

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        if not self.failed:
            self.failed = True
            raise ValueError("once")
        yield GaugeMetricFamily("fine", "Always 1.", value=1)
