# SPDX-License-Identifier: Apache-2.0
"""Tests of the Prometheus driver against any server of the API.

A module that provides a server derives its test cases from these.
"""

import contextlib
import datetime
import itertools
import math
import uuid
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import model
from distil.telemetry.prometheus.driver import PrometheusDriver
from distil.tests.support.prometheus_driver import make_driver
from distil.tests.support.prometheus_scenario import END
from distil.tests.support.prometheus_scenario import MILLISECOND
from distil.tests.support.prometheus_scenario import MINUTE
from distil.tests.support.prometheus_scenario import START
from distil.tests.support.prometheus_scenario import PrometheusCase
from distil.tests.support.real.prometheus import Series

HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)


class DriverCase(PrometheusCase):
    """Has scrapes of a job every minute, from two hours before the window to two hours after it."""

    def setUp(self) -> None:
        super().setUp()
        self.job, self.metric = uuid.uuid4().hex, f"m{uuid.uuid4().hex}"
        self.project_id = uuid.uuid4().hex
        self.add_series(self.up("a", [START + minute * MINUTE for minute in range(-120, 180)]))

    def driver_options(self) -> Mapping[str, Any]:
        """The options by which the driver reaches the server."""
        raise NotImplementedError

    def driver(
        self,
        entry: Mapping[str, Any],
        session: ks_session.Session | None = None,
        region_name: str | None = None,
        **options: Any,
    ) -> PrometheusDriver:
        """:param entry: of the meters file, besides what all have in common.
        :param session: None: the administrator's.
        """
        common = {
            "meter": "meter",
            "selector": self.metric,
            "up": f'up{{job="{self.job}"}}',
            "unit": "unit",
            "labels": {"project": "project", "resource": "resource"},
        }
        values = {**self.driver_options(), **options}
        return make_driver([{**common, **entry}], session or self.session, region_name, **values)

    def up(self, instance: str, times: Sequence[datetime.datetime], value: int = 1) -> Series:
        labels = {"__name__": "up", "job": self.job, "instance": instance}
        return Series(labels, [(time, value) for time in times])

    def series(self, samples: Sequence[tuple[datetime.datetime, float]], **labels: str) -> Series:
        defaults = {"__name__": self.metric, "project": self.project_id, "resource": "r"}
        return Series({name: value for name, value in (defaults | labels).items() if value}, samples)

    def read(
        self,
        driver: PrometheusDriver,
        projects: Collection[str] = (),
        start: datetime.datetime = START,
    ) -> list[model.Sample]:
        """Return the samples of an hour, by default of the test's project; none may be rejected."""
        found = list(driver.samples(projects or [self.project_id], ["meter"], start, start + HOUR))
        samples = [sample for sample in found if isinstance(sample, model.Sample)]
        self.assertEqual(found, samples)
        return samples


class DriverScenario(DriverCase):
    """What the driver returns."""

    def test_adjoining_windows_share_no_sample(self) -> None:
        times = [START - MILLISECOND, START, START + MILLISECOND, END - MILLISECOND, END, END + MILLISECOND]
        self.add_series(self.series([(time, number) for number, time in enumerate(times)]))
        driver = self.driver({})
        for start, expected in ((START - HOUR, times[:1]), (START, times[1:4]), (END, times[4:])):
            with self.subTest(start=start):
                self.assertEqual(expected, [sample.timestamp for sample in self.read(driver, start=start)])

    def test_refused_queries_are_divided(self) -> None:
        """There are twice as many samples as a query can load."""
        times = [START + number * 30 * SECOND for number in range(120)]
        resources = [f"r{number}" for number in range(2 * self.max_samples // len(times) + 1)]
        self.add_series(*(self.series([*zip(times, itertools.count())], resource=name) for name in resources))
        samples = self.read(self.driver({}))
        expected = itertools.product(resources, times)
        self.assertCountEqual(expected, [(sample.resource_id, sample.timestamp) for sample in samples])

    def test_document_is_made_of_labels(self) -> None:
        self.add_series(self.series([(START, 0.1)], name='größe "x" \\ \n\N{CLOUD}', status="3"))
        metadata = {
            "display_name": "name",
            "status": {"label": "status", "codes": {3: "active"}},
            "policy": "policy",
            "kind": {"constant": "b1"},
            "size": {"value": True},
        }
        (sample,) = self.read(self.driver({"metadata": metadata}, source="a source"))
        self.assertEqual((self.project_id, "meter", "r"), (sample.project_id, sample.meter, sample.resource_id))
        self.assertEqual((START, Decimal("0.1"), "a source"), (sample.timestamp, sample.volume, sample.source))
        self.assertEqual("unit", sample.document["unit"])
        expected = {
            "display_name": 'größe "x" \\ \n\N{CLOUD}',
            "status": "active",
            "policy": "None",
            "kind": "b1",
            "size": "0.1",
        }
        self.assertEqual(expected, sample.document["metadata"])

    def test_projects_are_filtered(self) -> None:
        projects = [uuid.uuid4().hex for _ in range(3)]
        self.add_series(*(self.series([(START, 1)], project=project) for project in projects))
        samples = self.read(self.driver({}), [*projects[:2], "unknown"])
        self.assertCountEqual(projects[:2], [sample.project_id for sample in samples])

    def test_series_without_project_is_left_out(self) -> None:
        self.add_series(self.series([(START, 1)]), self.series([(START, 1)], project="", resource="homeless"))
        with self.assertLogs("distil.telemetry.prometheus", "WARNING") as logs:
            samples = self.read(self.driver({}))
        self.assertEqual(["r"], [sample.resource_id for sample in samples])
        self.assertRegex(logs.output[0], "1 series of .* without the label project are not billed.*homeless")

    def test_change_of_label_shows_both(self) -> None:
        """A transferred resource's samples are of either project."""
        heir = uuid.uuid4().hex
        self.add_series(self.series([(START, 1)]), self.series([(START + 30 * MINUTE, 1)], project=heir))
        samples = self.read(self.driver({}), [self.project_id, heir])
        self.assertCountEqual(
            [(self.project_id, START), (heir, START + 30 * MINUTE)],
            [(sample.project_id, sample.timestamp) for sample in samples],
        )

    def test_values_that_are_not_finite_are_left_to_rating(self) -> None:
        values = (1, math.nan, math.inf, -math.inf, 3)
        self.add_series(self.series([(START + number * MINUTE, value) for number, value in enumerate(values)]))
        samples = self.read(self.driver({}))
        self.assertEqual(list(map(str, map(float, values))), [str(float(sample.volume)) for sample in samples])

    def test_meter_without_entry_has_no_samples(self) -> None:
        self.assertEqual([], list(self.driver({}).samples([self.project_id], ["another"], START, END)))

    def test_working_service_is_accepted(self) -> None:
        self.driver({}).require_answer()


class WholenessScenario(DriverCase):
    """Which windows the driver refuses."""

    def setUp(self) -> None:
        super().setUp()
        self.add_series(self.series([(START, 1)]))

    def read_with_scrapes(self, *up: Series, **options: Any) -> list[model.Sample]:
        self.job = up[0].labels["job"] if up else uuid.uuid4().hex
        self.add_series(*up)
        return self.read(self.driver({}, **options))

    def scrapes(self, minutes: Sequence[int], instance: str = "a", value: int = 1) -> Series:
        return self.up(instance, [START + minute * MINUTE for minute in minutes], value)

    @contextlib.contextmanager
    def assert_incomplete(self, expected: str) -> Iterator[None]:
        with self.assertRaisesRegex(exceptions.PeriodIncomplete, expected):
            yield

    def test_gap_of_scrapes_is_refused(self) -> None:
        self.job = uuid.uuid4().hex
        with self.assert_incomplete("no sample other than 0 from 2026-01-01T00:20:00Z to 2026-01-01T00:40:00Z"):
            self.read_with_scrapes(self.scrapes([*range(21), *range(40, 60)]))

    def test_failed_scrapes_are_gap(self) -> None:
        self.job = uuid.uuid4().hex
        with self.assert_incomplete("from 2026-01-01T00:20:00Z to 2026-01-01T00:40:00Z"):
            self.read_with_scrapes(self.scrapes([*range(21), *range(40, 60)]), self.scrapes(range(21, 40), value=0))

    def test_job_without_scrapes_is_refused(self) -> None:
        with self.assert_incomplete(r"up.job=.* has no sample from 2026.*retention \([0-9]"):
            self.read_with_scrapes()

    def test_target_down_from_before_is_logged(self) -> None:
        self.job = uuid.uuid4().hex
        scrapes = self.scrapes(range(60)), self.scrapes(range(60), "b", 0)
        with self.assertLogs("distil.telemetry.prometheus", "WARNING") as logs:
            self.assertEqual(1, len(self.read_with_scrapes(*scrapes)))
        self.assertRegex(logs.output[0], "1 of 2 targets .* down")

    def test_target_that_goes_down_is_refused(self) -> None:
        self.job = uuid.uuid4().hex
        target = self.scrapes(range(20), "b"), self.scrapes(range(20, 60), "b", 0)
        with self.assert_incomplete('1 of 2 targets .*instance="b".* from 2026-01-01T00:19:00Z'):
            self.read_with_scrapes(self.scrapes(range(60)), *target)


class CounterScenario(DriverCase):
    """What the driver counts."""

    def counted(self, driver: PrometheusDriver, start: datetime.datetime = START) -> Decimal:
        return sum((sample.volume for sample in self.read(driver, start=start)), Decimal())

    def test_difference_belongs_to_later_sample(self) -> None:
        """The value before the window is known, and what is counted after its last sample is of the next."""
        times = [START - MINUTE, START, END - MINUTE, END]
        self.add_series(self.series([*zip(times, (5, 7, 107, 1107), strict=True)]))
        driver = self.driver({"kind": "counter"}, max_gap=3600)
        self.assertEqual([Decimal(102), Decimal(1000)], [self.counted(driver), self.counted(driver, END)])

    def test_first_sample_counts_by_entry(self) -> None:
        self.add_series(self.series([(START, 5), (START + MINUTE, 7)]))
        self.assertEqual(Decimal(2), self.counted(self.driver({"kind": "counter"})))
        self.assertEqual(Decimal(7), self.counted(self.driver({"kind": "counter", "first_sample": "from_zero"})))

    def test_replicas_count_once(self) -> None:
        minutes = range(-10, 60)
        for replica, offset in (("a", 0), ("b", 7)):
            samples = [(START + minute * MINUTE + offset * SECOND, (minute + 10) * 60 + offset) for minute in minutes]
            self.add_series(self.series(samples, replica=replica))
        driver = self.driver({"kind": "counter"}, replica_labels=["replica"])
        self.assertAlmostEqual(Decimal(3600), self.counted(driver), delta=60)

    def test_two_counters_of_resource_are_refused(self) -> None:
        times = [START + minute * MINUTE for minute in range(60)]
        for number, device in enumerate(("eth0", "eth1")):
            self.add_series(self.series([*zip(times, itertools.count(number))], device=device))
        with self.assertRaisesRegex(exceptions.TelemetryError, "count for resource r at the same time.* device"):
            self.counted(self.driver({"kind": "counter"}))

    @hypothesis.settings(max_examples=20, deadline=None)
    @hypothesis.given(strategies.data())
    def test_windows_add_up_to_all_counted(self, data: strategies.DataObject) -> None:
        """A counter in three hours, which is reset and whose labels change."""
        self.metric, self.project_id = f"m{uuid.uuid4().hex}", uuid.uuid4().hex
        steps = data.draw(strategies.lists(_STEPS, min_size=_STEP_COUNT, max_size=_STEP_COUNT))
        counter = _Counter(START - HOUR)
        for step in steps:
            counter.advance(*step)
        self.add_series(*(self.series(samples, flavor=name) for name, samples in counter.series.items()))
        driver = self.driver({"kind": "counter"}, max_gap=3600)
        found = sum(self.counted(driver, START + hour * HOUR) for hour in (-1, 0, 1))
        self.assertEqual(Decimal(counter.counted), found)


_STEP_COUNT = 20
# The last sample is before the end of the third hour.
_MAX_STEP_MILLISECONDS = 3 * HOUR // MILLISECOND // _STEP_COUNT - 1
_STEPS = strategies.tuples(
    strategies.integers(1, _MAX_STEP_MILLISECONDS),
    strategies.integers(0, 10**9),
    strategies.booleans(),
    strategies.booleans(),
)
"""Milliseconds until a sample, what is counted until then, and whether the counter is reset or a label changes."""


class _Counter:
    """The samples of a counter.

    :ivar counted: since the first sample.
    :ivar series: by flavor.
    """

    def __init__(self, start: datetime.datetime) -> None:
        self._time, self._value, self._flavor = start, 0, 0
        self.counted = 0
        self.series: dict[str, list[tuple[datetime.datetime, float]]] = {"f0": [(start, 0)]}

    def advance(self, milliseconds: int, amount: int, is_reset: bool, is_resized: bool) -> None:
        self._time += milliseconds * MILLISECOND
        self._flavor += is_resized
        # A reset after which more is counted than before cannot be seen.
        self._value = amount if is_reset and amount < self._value else self._value + amount
        self.counted += amount
        self.series.setdefault(f"f{self._flavor}", []).append((self._time, self._value))
