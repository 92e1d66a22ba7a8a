# SPDX-License-Identifier: Apache-2.0
"""Tests of the Ceilometer driver, and of the API that it relies on, against any server of the v2 API.

A module that provides a server derives its test cases from these.
"""

import datetime
import json
import math
import unittest
import uuid
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import ClassVar

import requests
from keystoneauth1 import session as ks_session

from distil import model
from distil.telemetry import ceilometer
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = START + datetime.timedelta(hours=1)
REGION = "RegionOne"
SINGLE = (False, True)
"""Both kinds of query: for many projects and meters, and for a single project and meter."""


def document(project_id: str, meter: str, resource_id: str, timestamp: str, **changes: Any) -> dict[str, Any]:
    """Return a sample, as in a response of the API."""
    named = {"project_id": project_id, "meter": meter, "resource_id": resource_id, "timestamp": timestamp}
    return named | {"volume": 1.5, "unit": "GB", "type": "gauge", "source": "openstack", "metadata": {}} | changes


class CeilometerCase(unittest.TestCase):
    """Stores ten samples at each of 13 times for one project."""

    session: ClassVar[ks_session.Session]
    busy: ClassVar[str]

    @classmethod
    def add_samples(cls, project_id: str, meter: str, documents: Iterable[Mapping[str, Any]]) -> None:
        raise NotImplementedError

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.busy = uuid.uuid4().hex
        moments = [f"2026-01-01T00:{minute:02d}:00" for minute in (7, 0, 12, 2, 11, 3, 1, 5, 6, 9, 8, 10, 4)]
        busy = [document(cls.busy, "cpu", f"r{number}", moment) for moment in moments for number in range(10)]
        cls.add_samples(cls.busy, "cpu", busy)

    def add(self, *moments: str, meter: str = "cpu", **changes: Any) -> str:
        """Store a sample at each of these times for a new project, each of another resource; return the project."""
        project_id = uuid.uuid4().hex
        samples = [document(project_id, meter, f"r{number}", each, **changes) for number, each in enumerate(moments)]
        self.add_samples(project_id, meter, samples)
        return project_id


class DriverScenario(CeilometerCase):
    """What the driver returns."""

    def ask(
        self, projects: Collection[str], meters: Collection[str] = ("cpu",), single: bool = False, **options: Any
    ) -> list[model.Sample]:
        driver = ceilometer.CeilometerDriver(self.session, REGION, "public", **options)
        driver._complex_queries_unsupported_until = math.inf if single else 0.0
        samples = list(driver.samples(projects, meters, START, END))
        read = [sample for sample in samples if isinstance(sample, model.Sample)]
        self.assertEqual(samples, read)
        return read

    def test_returns_more_than_default_limit(self) -> None:
        for single in SINGLE:
            with self.subTest(single=single):
                samples = {(sample.resource_id, sample.timestamp) for sample in self.ask([self.busy], single=single)}
                self.assertEqual(130, len(samples))

    def test_require_answer_accepts_working_service(self) -> None:
        ceilometer.CeilometerDriver(self.session, REGION, "public").require_answer()

    def test_report_of_meter_needs_no_project(self) -> None:
        driver = ceilometer.CeilometerDriver(self.session, REGION, "public")
        meter = uuid.uuid4().hex
        self.add("2026-01-01T00:30:00", meter=meter)
        report = driver.report(meter, START, END)
        self.assertEqual(MeterPresence.PRESENT, report.presence)
        # Ceilometer's API adds the prefix "<project>:" to the source of a sample that was posted to it.
        self.assertEqual({"openstack"}, {source.rpartition(":")[2] for source in report.sources})
        self.assertEqual("2026-01-01T00:30:00", report.example and report.example["timestamp"])
        absent = MeterReport(MeterPresence.ABSENT)
        self.assertEqual(absent, driver.report(meter, END, END + (END - START)))
        self.assertEqual(absent, driver.report(f"{meter}s", START, END))

    def test_pagination_returns_each_sample_once(self) -> None:
        for single in SINGLE:
            for page_size in (3, 10, 11, 129, 130, 131):
                with self.subTest(single=single, page_size=page_size):
                    samples = self.ask([self.busy], single=single, page_size=page_size)
                    found = {(sample.resource_id, sample.timestamp) for sample in samples}
                    self.assertEqual((130, 130), (len(samples), len(found)))

    def test_period_is_half_open(self) -> None:
        project = self.add(
            "2025-12-31T23:59:59.999999", "2026-01-01T00:00:00", "2026-01-01T00:59:59.999999", "2026-01-01T01:00:00"
        )
        for single in SINGLE:
            with self.subTest(single=single):
                samples = self.ask([project], single=single)
                self.assertEqual(["r2", "r1"], [sample.resource_id for sample in samples])
                self.assertEqual(START + datetime.timedelta(seconds=3599.999999), samples[0].timestamp)

    def test_pages_split_between_microseconds(self) -> None:
        project = self.add(*(f"2026-01-01T00:00:00.{microsecond:06d}" for microsecond in (0, 1, 1, 2, 3, 999_999)))
        for single in SINGLE:
            with self.subTest(single=single):
                samples = self.ask([project], single=single, page_size=2)
                self.assertEqual([f"r{number}" for number in range(6)], sorted(each.resource_id for each in samples))

    def test_filters_by_projects_and_meters(self) -> None:
        asked = [self.add("2026-01-01T00:00:00") for _ in range(3)]
        self.add("2026-01-01T00:00:00")
        for meter in ("disk", "net"):
            self.add_samples(asked[0], meter, [document(asked[0], meter, "r0", "2026-01-01T00:10:00")])
        for single in SINGLE:
            with self.subTest(single=single):
                samples = self.ask([*asked, "nobody"], ["cpu", "disk", "nothing"], single=single)
                found = sorted((sample.project_id, sample.meter) for sample in samples)
                self.assertEqual(sorted([(asked[0], "disk"), *((project, "cpu") for project in asked)]), found)

    def test_meter_names_allow_quotes_and_unicode(self) -> None:
        for meter in ('disk "root"', "disk's", "größe", "50%", "a&b=c", "\N{CLOUD}"):
            project = self.add("2026-01-01T00:00:00", meter=meter)
            for single in SINGLE:
                with self.subTest(meter=meter, single=single):
                    self.assertEqual([meter], [sample.meter for sample in self.ask([project], [meter], single=single)])

    def test_volume_and_metadata_are_unchanged(self) -> None:
        sent = {"flavor.id": "42", "status": "None"}
        project = self.add("2026-01-01T00:00:00", volume=0.1, metadata=sent)
        (sample,) = self.ask([project])
        self.assertEqual(Decimal("0.1"), sample.volume)
        self.assertEqual(sent, sample.document["metadata"])
        self.assertEqual({"flavor.id": "42", "status": None}, sample.metadata)
        self.assertTrue(sample.source.endswith("openstack"))

    def test_unknown_names_return_no_samples(self) -> None:
        for single in SINGLE:
            with self.subTest(single=single):
                self.assertEqual([], self.ask(["nobody"], ["nothing"], single=single))


class ApiScenario(CeilometerCase):
    """The API's behaviour that the driver relies on."""

    def get(self, *conditions: tuple[str, str, str], **parameters: Any) -> requests.Response:
        fields = [("q.field", "q.op", "q.value")] * len(conditions)
        query = [
            pair for names, values in zip(fields, conditions, strict=True) for pair in zip(names, values, strict=True)
        ]
        return self._send("GET", "/v2/samples", params=[*query, *parameters.items()])

    def post(self, condition: dict[str, Any], **query: Any) -> requests.Response:
        return self._send("POST", "/v2/query/samples", json={"filter": json.dumps(condition), **query})

    def _send(self, method: str, path: str, **request: Any) -> requests.Response:
        endpoint = {"service_type": "metering", "interface": "public", "region_name": REGION}
        return self.session.request(path, method, endpoint_filter=endpoint, raise_exc=False, **request)

    def assert_refused(self, response: requests.Response) -> None:
        self.assertEqual(400, response.status_code)
        self.assertIsInstance(response.json()["error_message"]["faultstring"], str)

    def test_default_limit_returns_newest_hundred(self) -> None:
        for response in (self.get(("project_id", "eq", self.busy)), self.post({"=": {"project_id": self.busy}})):
            moments = [sample["timestamp"] for sample in response.json()]
            self.assertEqual((200, 100), (response.status_code, len(moments)))
            self.assertEqual(sorted(moments, reverse=True), moments)
            self.assertEqual(("2026-01-01T00:12:00", "2026-01-01T00:03:00"), (moments[0], moments[-1]))

    def test_limit_is_respected(self) -> None:
        for limit in (1, 101, 130, 1_000_000):
            with self.subTest(limit=limit):
                for response in (
                    self.get(("project_id", "eq", self.busy), limit=limit),
                    self.post({"=": {"project_id": self.busy}}, limit=limit),
                ):
                    self.assertEqual(min(limit, 130), len(response.json()))

    def test_non_positive_limit_is_rejected(self) -> None:
        for limit in (0, -1):
            with self.subTest(limit=limit):
                self.assert_refused(self.get(limit=limit))
                self.assert_refused(self.post({"=": {"project_id": self.busy}}, limit=limit))

    def test_time_zone_in_condition_is_ignored(self) -> None:
        zoned = "2026-01-01T00:12:00+13:00"
        mine = ("project_id", "eq", self.busy)
        self.assertEqual(10, len(self.get(mine, ("timestamp", "ge", zoned)).json()))
        self.assertEqual(10, len(self.post(self._mine({">=": {"timestamp": zoned}})).json()))

    def test_last_of_duplicate_conditions_wins(self) -> None:
        earlier, later = ("timestamp", "ge", "2026-01-01T00:11:00"), ("timestamp", "ge", "2026-01-01T00:12:00")
        mine = ("project_id", "eq", self.busy)
        self.assertEqual(10, len(self.get(mine, earlier, later).json()))
        self.assertEqual(20, len(self.get(mine, later, earlier).json()))

    def test_timestamp_equality_is_rejected(self) -> None:
        self.assert_refused(self.get(("timestamp", "eq", "2026-01-01T00:12:00")))

    def test_invalid_filter_is_rejected(self) -> None:
        conditions: tuple[dict[str, Any], ...] = (
            {},
            {"in": {"project_id": []}},
            {"and": [{"=": {"meter": "cpu"}}]},
            {"=": {"nothing": "x"}},
        )
        for condition in conditions:
            with self.subTest(condition=condition):
                self.assert_refused(self.post(condition))

    def test_timestamps_are_naive_with_optional_microseconds(self) -> None:
        project = self.add("2026-01-01T00:00:01.500000", "2026-01-01T00:00:00")
        moments = [sample["timestamp"] for sample in self.get(("project_id", "eq", project)).json()]
        self.assertEqual(["2026-01-01T00:00:01.500000", "2026-01-01T00:00:00"], moments)

    def test_missing_token_returns_401(self) -> None:
        url = self.session.get_endpoint(service_type="metering", interface="public", region_name=REGION)
        self.assertEqual(401, requests.get(f"{url}/v2/samples", timeout=60).status_code)

    def _mine(self, condition: dict[str, Any]) -> dict[str, Any]:
        return {"and": [{"=": {"project_id": self.busy}}, condition]}
