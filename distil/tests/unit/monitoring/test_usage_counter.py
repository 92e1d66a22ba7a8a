# SPDX-License-Identifier: Apache-2.0
"""The series of usage are rendered as prometheus_client would render them."""

import datetime
import threading
import unittest
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Gauge
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from distil import model
from distil.exporter.pages import OPENMETRICS
from distil.exporter.pages import MetricsPage
from distil.monitoring.usage_counter import UsageCounter
from distil.tests.support import strategies

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

Counted = dict[str, dict[tuple[str, str], list[Decimal]]]

NAMES = st.text(st.characters(codec="utf-8"), max_size=5) | st.text('a\\"\n\r{}=, \0', max_size=5)
VOLUMES = strategies.volumes() | st.decimals(allow_nan=False) | st.decimals("-1e20", "1e20")
COUNTED = st.dictionaries(
    NAMES, st.dictionaries(st.tuples(NAMES, NAMES), st.lists(VOLUMES, min_size=1, max_size=3), max_size=4), max_size=4
)


class Reference(Collector):
    """The same metric, rendered by prometheus_client."""

    def __init__(self, head: Metric, counted: Counted) -> None:
        self._head = head
        self._counted = counted

    def collect(self) -> list[Metric]:
        labels = ("project_id", "service", "unit")
        family = CounterMetricFamily(self._head.name, self._head.documentation, labels=labels)
        for project_id, usage in self._counted.items():
            for (service, unit), volumes in usage.items():
                family.add_metric((project_id, service, unit), sum(map(float, volumes)))
        return [family]


class UsageCounterTest(unittest.TestCase):
    def setUp(self) -> None:
        self.usage = UsageCounter()

    def count(self, project_id: str, service: str, *volumes: str, unit: str = "hour") -> None:
        self.usage.add(project_id, [model.Usage(service, "r", unit, Decimal(volume)) for volume in volumes])

    def series(self) -> list[str]:
        return self.usage.series().decode().splitlines()

    @hypothesis.given(COUNTED)
    def test_page_matches_prometheus_client_output(self, counted: Counted) -> None:
        usage = UsageCounter()
        for project_id, entries in counted.items():
            for (service, unit), volumes in entries.items():
                usage.add(project_id, [model.Usage(service, "r", unit, volume) for volume in volumes])
        registries = [CollectorRegistry(), CollectorRegistry()]
        for registry in registries:
            Gauge("before", "Another metric.", registry=registry).set(1)
        registries[0].register(usage)
        registries[1].register(Reference(next(iter(usage.collect())), counted))
        pages, reference = MetricsPage(registries[0], usage.series), MetricsPage(registries[1])
        for accept in ("", OPENMETRICS):
            self.assertEqual(reference.render(accept), pages.render(accept))

    def test_usage_of_service_is_summed(self) -> None:
        self.count("p", "c1", "1.5", "2")
        self.count("p", "c1", "4")
        self.assertEqual(['distil_collector_usage_total{project_id="p",service="c1",unit="hour"} 7.5'], self.series())

    def test_projects_services_units_are_separate(self) -> None:
        for number, (project, service, unit) in enumerate((("p", "a", "x"), ("p", "a", "y"), ("p", "b", "x"))):
            self.count(project, service, f"{number}", unit=unit)
        self.count("q", "a", "3", unit="x")
        self.assertEqual(["0.0", "1.0", "2.0", "3.0"], [line.split()[-1] for line in self.series()])

    def test_later_usage_appears_in_next_scrape(self) -> None:
        for project in ("p", "q"):
            self.count(project, "a", "1")
        before = self.series()
        self.count("q", "a", "1")
        self.count("q", "b", "5")
        self.count("r", "a", "1")
        self.assertEqual([before[0], *(line.replace("1.0", "2.0") for line in before[1:])], self.series()[:2])
        self.assertEqual(["5.0", "1.0"], [line.split()[-1] for line in self.series()[2:]])

    def gone(self, hours: float, *in_scope: str) -> list[str]:
        """The projects with series, so many hours after the start, when only some projects are in scope."""
        self.usage.drop_gone(set(in_scope), START + datetime.timedelta(hours=hours))
        return [line.split('"')[1] for line in self.series()]

    def test_projects_gone_for_a_day_are_dropped(self) -> None:
        for project in ("p", "q"):
            self.count(project, "a", "1")
        self.assertEqual(["p", "q"], self.gone(0, "p", "q"))
        self.assertEqual(["p", "q"], self.gone(1, "p"))
        self.assertEqual(["p", "q"], self.gone(24.9, "p"))
        self.assertEqual(["p"], self.gone(25, "p"))

    def test_projects_that_come_back_are_kept(self) -> None:
        for project in ("p", "q"):
            self.count(project, "a", "1")
        self.gone(1, "p")
        self.gone(20, "p", "q")
        self.assertEqual(["p", "q"], self.gone(30, "p"))
        self.count("q", "a", "1")  # its last window
        self.assertEqual(["p", "q"], self.gone(50, "p"))

    def test_dropped_project_starts_at_zero(self) -> None:
        self.count("p", "a", "5")
        self.gone(0)
        self.assertEqual([], self.gone(24))
        self.count("p", "a", "1")
        self.assertEqual("1.0", self.series()[0].split()[-1])

    def test_concurrent_scrapes_lose_no_usage(self) -> None:
        over = threading.Event()

        def scrape() -> None:
            while not over.is_set():
                self.series()

        thread = threading.Thread(target=scrape)
        thread.start()
        for number in range(3000):
            self.count(f"p{number % 30}", "a", "1")
        over.set()
        thread.join(30)
        self.assertEqual(["100.0"] * 30, [line.split()[-1] for line in self.series()])
