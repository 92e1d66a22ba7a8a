# SPDX-License-Identifier: Apache-2.0
"""Tests of the sandbox's Ceilometer, over HTTP and through python-ceilometerclient."""

import datetime
import json
from typing import Any

from ceilometerclient import client as ceilometer_client

from distil.tests.support import sandbox
from distil.tests.support.sandbox import HOUR
from distil.tests.support.sandbox import START


def _naive(moment: datetime.datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def _params(*conditions: tuple[str, str, str], **arguments: Any) -> dict[str, Any]:
    fields, operators, values = zip(*conditions, strict=True)
    return {"q.field": fields, "q.op": operators, "q.value": values, **arguments}


class SimpleQueryTest(sandbox.SandboxTestCase):
    def test_default_limit_returns_newest_hundred(self) -> None:
        samples = self._query(("project_id", "eq", self.project_id)).json()
        self.assertEqual(100, len(samples))
        times = [sample["timestamp"] for sample in samples]
        self.assertEqual(sorted(times, reverse=True), times)
        self.assertEqual("2026-01-01T02:50:07.000250", times[0])

    def test_limit_has_no_maximum(self) -> None:
        self.assertEqual(4 * 18 * 19, len(self._query(("project_id", "eq", self.project_id), limit=1_000_000).json()))
        self.assertEqual(3, len(self._query(("project_id", "eq", self.project_id), limit=3).json()))

    def test_invalid_limit_returns_400(self) -> None:
        for limit in ("0", "-1", "x"):
            response = self._query(("project_id", "eq", self.project_id), limit=limit)
            self.assertEqual(400, response.status_code)
            self.assertIn("faultstring", response.json()["error_message"])

    def test_answer_matches_generated_samples(self) -> None:
        start, end = START + HOUR, START + 2 * HOUR
        returned = self._query(
            ("project_id", "eq", self.project_id),
            ("meter", "eq", "volume.size"),
            ("timestamp", "ge", _naive(start)),
            ("timestamp", "lt", _naive(end)),
            limit=1000,
        ).json()
        self.assertCountEqual(list(self.cloud.samples(self.project_id, "volume.size", start, end)), returned)
        self.assertEqual(24, len(returned))

    def test_time_conditions_are_exact(self) -> None:
        bound = START + HOUR
        for operator, expected in (("ge", True), ("gt", False)):
            samples = self._query(("meter", "eq", "router"), ("timestamp", operator, _naive(bound)), limit=1000).json()
            self.assertIs(expected, _naive(bound) in [sample["timestamp"] for sample in samples], operator)

    def test_time_zone_is_ignored(self) -> None:
        plain, zoned = (
            self._query(("meter", "eq", "router"), ("timestamp", "ge", _naive(START + HOUR) + zone), limit=1000).json()
            for zone in ("", "+02:00")
        )
        self.assertEqual(plain, zoned)

    def test_paging_parameters_return_400(self) -> None:
        for name in ("marker", "offset", "page"):
            self.assertEqual(400, self.metering("/v2/samples", params={name: "1"}).status_code, name)

    def test_time_equality_returns_400(self) -> None:
        self.assertEqual(400, self._query(("timestamp", "eq", _naive(START))).status_code)

    def test_unknown_meter_or_project_returns_nothing(self) -> None:
        for condition in (("meter", "eq", "no-such-meter"), ("project_id", "eq", "no-such-project")):
            response = self._query(condition)
            self.assertEqual((200, []), (response.status_code, response.json()))

    def test_no_project_filter_returns_every_project(self) -> None:
        samples = self._query(("meter", "eq", "router"), limit=10_000).json()
        self.assertEqual(4 + 1, len({sample["project_id"] for sample in samples}))

    def test_operator_and_value_are_optional(self) -> None:
        explicit = self._query(("meter", "eq", "router"), ("project_id", "eq", self.project_id), limit=1000).json()
        params = {"q.field": ["meter", "project_id"], "q.value": ["router", self.project_id], "limit": 1000}
        self.assertEqual(explicit, self.metering("/v2/samples", params=params).json())
        all_projects = {**params, "q.value": ["router"], "limit": 10_000}
        self.assertEqual((4 + 1) * 72, len(self.metering("/v2/samples", params=all_projects).json()))

    def test_meter_api_uses_old_keys(self) -> None:
        params = _params(("project_id", "eq", self.project_id), limit=1)
        (legacy,) = self.metering("/v2/meters/instance", params=params).json()
        (current,) = self._query(("project_id", "eq", self.project_id), ("meter", "eq", "instance"), limit=1).json()
        self.assertEqual(current["metadata"], legacy["resource_metadata"])
        self.assertEqual((current["volume"], current["id"]), (legacy["counter_volume"], legacy["message_id"]))
        self.assertNotIn("volume", legacy)

    def _query(self, *conditions: tuple[str, str, str], **arguments: Any) -> Any:
        return self.metering("/v2/samples", params=_params(*conditions, **arguments))


class ComplexQueryTest(sandbox.SandboxTestCase):
    def test_one_query_covers_projects_and_meters(self) -> None:
        projects, meters = self.cloud.projects.enabled_ids[:3], ["instance", "traffic.outbound.national"]
        condition = {
            "and": [
                {"in": {"project_id": projects}},
                {"or": [{"=": {"meter": meter}} for meter in meters]},
                {">=": {"timestamp": _naive(START)}},
                {"<": {"timestamp": _naive(START + HOUR)}},
            ]
        }
        order = json.dumps([{"timestamp": "asc"}])
        returned = self.query_samples(filter=json.dumps(condition), orderby=order, limit=10_000).json()
        expected = [
            sample
            for project in projects
            for meter in meters
            for sample in self.cloud.samples(project, meter, START, START + HOUR)
        ]
        self.assertCountEqual(expected, returned)
        times = [sample["timestamp"] for sample in returned]
        self.assertEqual(sorted(times), times)

    def test_default_query_returns_newest_hundred(self) -> None:
        samples = self.query_samples().json()
        self.assertEqual((100, "2026-01-01T02:50:07.000250"), (len(samples), samples[0]["timestamp"]))

    def test_orders_by_several_fields(self) -> None:
        order = json.dumps([{"resource_id": "desc"}, {"timestamp": "asc"}])
        condition = json.dumps({"=": {"meter": "router"}})
        samples = self.query_samples(filter=condition, orderby=order, limit=1000).json()
        by_time = sorted(samples, key=lambda sample: sample["timestamp"])
        self.assertEqual(sorted(by_time, key=lambda sample: sample["resource_id"], reverse=True), samples)

    def test_filters_by_metadata(self) -> None:
        condition = json.dumps({"and": [{"=": {"metadata.state": "paused"}}, {"=": {"meter": "instance"}}]})
        samples = self.query_samples(filter=condition, limit=1000).json()
        self.assertEqual({"paused"}, {sample["metadata"]["state"] for sample in samples})

    def test_invalid_queries_return_400(self) -> None:
        for body in (
            {"filter": "{"},
            {"filter": {"=": {"meter": "a"}}},
            {"orderby": "{}"},
            {"limit": 0},
            {"limit": "x"},
            {"offset": 1},
        ):
            response = self.query_samples(**body)
            self.assertEqual(400, response.status_code, body)
            self.assertIn("faultstring", response.json()["error_message"])


class CeilometerClientTest(sandbox.SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = ceilometer_client.get_client("2", session=self.session)

    def test_lists_samples(self) -> None:
        query = [{"field": "project_id", "op": "eq", "value": self.project_id}]
        found = self.client.new_samples.list(q=query, limit=1000)
        self.assertEqual(1000, len(found))
        self.assertEqual(72, len(self.client.samples.list(meter_name="router", q=query, limit=1000)))

    def test_queries_samples_in_order(self) -> None:
        condition = json.dumps({"=": {"project_id": self.project_id}})
        found = self.client.query_samples.query(filter=condition, orderby='[{"timestamp": "asc"}]', limit=5)
        self.assertEqual(["2026-01-01T00:00:00"] * 5, [sample.timestamp for sample in found])

    def test_lists_meters(self) -> None:
        query = [{"field": "project_id", "op": "eq", "value": self.project_id}]
        found = self.client.meters.list(q=query, limit=1000)
        self.assertEqual(19 * 4, len(found))
        self.assertEqual(19, len(self.client.meters.list(q=query, limit=1000, unique=True)))
        self.assertEqual(100, len(self.client.meters.list()))
