# SPDX-License-Identifier: Apache-2.0
"""Tests of Ceilometer's statistics, and of the counts that the driver makes of them, against any server of the API."""

import datetime
import uuid
from collections import Counter
from typing import Any

import requests

from distil.telemetry import ceilometer
from distil.tests.support.driver_scenario import REGION
from distil.tests.support.driver_scenario import START
from distil.tests.support.driver_scenario import CeilometerCase
from distil.tests.support.driver_scenario import document

_HOUR = datetime.timedelta(hours=1)


class StatisticsScenario(CeilometerCase):
    """A meter of its own for each test: counts are of all projects."""

    def setUp(self) -> None:
        self.meter = uuid.uuid4().hex
        self.driver = ceilometer.CeilometerDriver(self.session, REGION, "public")

    def counts(
        self, start: datetime.datetime, end: datetime.datetime, length: datetime.timedelta = _HOUR
    ) -> dict[tuple[str, datetime.datetime], int]:
        found = list(self.driver.counts([self.meter], start, end, length))
        self.assertEqual({self.meter}, {count.meter for count in found} or {self.meter})
        counted = {(count.project_id, count.start): count.samples for count in found}
        self.assertEqual(len(found), len(counted))
        return counted

    def statistics(self, **parameters: Any) -> requests.Response:
        endpoint = {"service_type": "metering", "interface": "public", "region_name": REGION}
        path = f"/v2/meters/{self.meter}/statistics"
        params = {"aggregate.func": "count"} | parameters
        return self.session.get(path, endpoint_filter=endpoint, raise_exc=False, params=params)

    def test_counts_are_those_of_samples(self) -> None:
        moments = ("00:00:00", "00:59:59.999999", "01:00:00", "04:59:59", "05:00:00")
        projects = [self.add(*(f"2026-01-01T{moment}" for moment in moments), meter=self.meter) for _ in range(2)]
        end = START + 5 * _HOUR
        for length in (_HOUR, 2 * _HOUR, 5 * _HOUR, datetime.timedelta(minutes=20)):
            for start in (START, START + _HOUR / 2):
                with self.subTest(length=length, start=start):
                    samples = list(self.driver.samples(projects, [self.meter], start, end))
                    parts = (start + (sample.timestamp - start) // length * length for sample in samples)  # type: ignore[union-attr]
                    expected = Counter(zip((sample.project_id for sample in samples), parts, strict=True))
                    self.assertEqual(dict(expected), self.counts(start, end, length))

    def test_units_and_repetitions_are_counted(self) -> None:
        project = self.add("2026-01-01T00:10:00", "2026-01-01T00:20:00", meter=self.meter)
        for unit in ("GB", "MB"):
            self.add_samples(
                project, self.meter, [document(project, self.meter, "r0", "2026-01-01T00:10:00", unit=unit)]
            )
        self.assertEqual({(project, START): 4}, self.counts(START, START + _HOUR))

    def test_unknown_meter_has_no_counts(self) -> None:
        self.assertEqual({}, self.counts(START, START + _HOUR))

    def test_meter_name_allows_quotes_and_unicode(self) -> None:
        for name in ('disk "root"', "disk's", "größe", "50%", "a&b=c#d?"):
            with self.subTest(name=name):
                self.meter = f"{name} {uuid.uuid4().hex}"
                project = self.add("2026-01-01T00:10:00", meter=self.meter)
                self.assertEqual({(project, START): 1}, self.counts(START, START + _HOUR))

    def test_usual_number_of_rows_is_verified(self) -> None:
        projects = [uuid.uuid4().hex for _ in range(64)]
        for project in projects:
            self.add_samples(project, self.meter, [document(project, self.meter, project, "2026-01-01T00:10:00")])
        self.assertEqual(
            dict.fromkeys(((project, START) for project in projects), 1), self.counts(START, START + _HOUR)
        )

    def test_rows_say_project_and_period(self) -> None:
        project = self.add("2026-01-01T00:40:00", "2026-01-01T01:20:00.5", meter=self.meter)
        query = {
            "q.field": ["timestamp"] * 2,
            "q.op": ["ge", "lt"],
            "q.value": ["2026-01-01T00:30", "2026-01-01T02:00"],
        }
        rows = self.statistics(**query, groupby="project_id", period=3600).json()
        expected = {
            "count": 2,
            "aggregate": {"count": 2.0},
            "unit": "GB",
            "period": 3600,
            "period_start": "2026-01-01T00:30:00",
            "period_end": "2026-01-01T01:30:00",
            "duration": 2400.5,
            "duration_start": "2026-01-01T00:40:00",
            "duration_end": "2026-01-01T01:20:00.500000",
            "groupby": {"project_id": project},
        }
        self.assertEqual([expected], rows)
        (total,) = self.statistics(**query).json()
        self.assertEqual(
            (2, None, 0, "2026-01-01T00:40:00"),
            tuple(total[key] for key in ("count", "groupby", "period", "period_start")),
        )

    def test_invalid_arguments_are_rejected(self) -> None:
        for arguments in (
            {"groupby": "nothing"},
            {"period": "x"},
            {"period": -1},
            {"limit": 3},
            {"aggregate.func": "nothing"},
        ):
            with self.subTest(arguments):
                response = self.statistics(**arguments)
                self.assertEqual(400, response.status_code)
                self.assertIsInstance(response.json()["error_message"]["faultstring"], str)
