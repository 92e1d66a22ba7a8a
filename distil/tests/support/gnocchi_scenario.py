# SPDX-License-Identifier: Apache-2.0
"""Tests of the API that the Gnocchi driver relies on, against any server of it.

A module that provides a server derives its test cases from :class:`ApiScenario`.
"""

import uuid
from contextlib import AbstractContextManager
from typing import Any

from distil.tests.support.gnocchi_case import HISTORY
from distil.tests.support.gnocchi_case import GnocchiCase
from distil.tests.support.gnocchi_query_scenario import AggregatesScenario
from distil.tests.support.gnocchi_query_scenario import MetricAggregatesScenario
from distil.tests.support.gnocchi_query_scenario import SearchScenario


class MetricScenario(GnocchiCase):
    """Metrics, and what is kept of them."""

    def policies(self, metrics: list[Any]) -> dict[str, Any]:
        return {metric["id"]: metric["archive_policy"] for metric in metrics}

    def test_metrics_are_listed_by_name(self) -> None:
        found: list[Any] = []
        marker = ""
        while True:
            response = self.send("GET", f"metric?name=disk.root.size&sort=id:asc&limit=2{marker}")
            found.extend(response.json())
            if "next" not in response.links:
                break
            marker = f"&marker={found[-1]['id']}"
        self.assertEqual({"disk.root.size"}, {metric["name"] for metric in found})
        resources = {metric["id"]: metric["resource_id"] for metric in found}
        expected = {row["metrics"]["disk.root.size"]: row["id"] for row in self.revisions()}
        self.assertLessEqual(expected.items(), resources.items())

    def test_metric_has_policy_and_unit(self) -> None:
        metric_id = self.revisions()[0]["metrics"]["disk.root.size"]
        metric = self.rows("GET", f"metric/{metric_id}")
        policy = metric["archive_policy"]
        self.assertEqual(("disk.root.size", "GiB"), (metric["name"], metric["unit"]))
        self.assertCountEqual(("max", "last", "sum", "count"), policy["aggregation_methods"])
        expected = {"timespan": "90 days, 0:00:00", "granularity": "0:05:00", "points": 25920}
        self.assertEqual(([expected], 24), (policy["definition"], policy["back_window"]))
        listed = {known["name"]: known for known in self.rows("GET", "archive_policy")}[policy["name"]]
        self.assertCountEqual(listed.pop("aggregation_methods"), policy.pop("aggregation_methods"))
        self.assertEqual(listed, policy)

    def test_unknown_metric_is_refused(self) -> None:
        metric_id = uuid.uuid4()
        description = f"Metric {metric_id} does not exist"
        self.assert_error(self.send("GET", f"metric/{metric_id}"), 404, "Not Found", description)
        self.assertEqual([], self.rows("GET", "metric?name=nothing"))

    def test_type_has_attributes(self) -> None:
        for path in ("resource_type", "resource_type/instance"):
            with self.subTest(path=path):
                answer = self.rows("GET", path)
                (found,) = (
                    [answer] if isinstance(answer, dict) else [row for row in answer if row["name"] == "instance"]
                )
                self.assertEqual("string", found["attributes"]["flavor_name"]["type"])


class RoleScenario(GnocchiCase):
    """What a user may see of the project, by its role in another one."""

    def test_service_may_search_but_not_list(self) -> None:
        session = self.user_session("service")
        mine = {"=": {"project_id": self.project}}
        self.assertEqual(self.revisions(), self.rows("POST", HISTORY + "asc", mine, session))
        self.assertEqual(self.aggregates().json(), self.aggregates(session=session).json())
        metric_id = self.revisions()[0]["metrics"]["disk.root.size"]
        self.assertEqual(metric_id, self.rows("GET", f"metric/{metric_id}", session=session)["id"])
        self.assertEqual([], self.rows("GET", "metric?name=disk.root.size", session=session))
        self.assert_error(self.send("GET", "status", session=session), 403, "Forbidden", "")

    def test_others_see_nothing(self) -> None:
        session = self.user_session("reader")
        mine = {"=": {"project_id": self.project}}
        self.assertEqual([], self.rows("POST", HISTORY + "asc", mine, session))
        self.assertEqual([], self.rows("GET", "metric?name=disk.root.size", session=session))
        absent = "Metric ['disk.root.size'] does not exist"
        self.assert_error(self.aggregates(session=session), 404, "Not Found", absent)
        metric_id = self.revisions()[0]["metrics"]["disk.root.size"]
        for path in (f"metric/{metric_id}", "status"):
            with self.subTest(path=path):
                self.assert_error(self.send("GET", path, session=session), 403, "Forbidden", "")

    def test_everybody_sees_policies_and_types(self) -> None:
        session = self.user_session("reader")
        for path in ("archive_policy", "resource_type", "resource_type/instance"):
            with self.subTest(path=path):
                self.assertEqual(200, self.send("GET", path, session=session).status_code)

    def test_missing_token_returns_401(self) -> None:
        self.assertEqual(401, self.send("GET", "metric", authenticated=False).status_code)


class StatusScenario(GnocchiCase):
    """What is not processed yet, and the form of errors."""

    def unprocessed(self) -> AbstractContextManager[str]:
        """Hold back the measures of a new instance of another project meanwhile, and provide its ID."""
        raise NotImplementedError

    def test_status_has_details_by_default(self) -> None:
        storage = {"summary": {"metrics": 0, "measures": 0}}
        self.assertEqual(storage | {"measures_to_process": {}}, self.rows("GET", "status")["storage"])
        self.assertEqual(storage, self.rows("GET", "status?details=false")["storage"])

    def test_unprocessed_measures_look_empty(self) -> None:
        with self.unprocessed() as resource_id:
            condition = {"=": {"id": resource_id}}
            (row,) = self.rows("POST", "search/resource/instance", condition)
            response = self.aggregates(condition=condition, refresh="true")
            self.assertEqual({"measures": {resource_id: {"disk.root.size": {"max": []}}}}, response.json())
            self.assertEqual(200, response.status_code)
            storage = self.rows("GET", "status")["storage"]
            metric_id = row["metrics"]["disk.root.size"]
            self.assertEqual({"metrics": 1, "measures": 1}, storage["summary"])
            self.assertEqual({metric_id: 1}, storage["measures_to_process"])
        self.assertTrue(self.aggregates(condition=condition).json()["measures"][resource_id]["disk.root.size"]["max"])

    def test_errors_are_html_by_default(self) -> None:
        response = self.send("GET", f"metric/{uuid.uuid4()}", headers={"Accept": "*/*"})
        self.assertEqual((404, "text/html"), (response.status_code, response.headers["Content-Type"].split(";")[0]))


class ApiScenario(
    SearchScenario, AggregatesScenario, MetricAggregatesScenario, MetricScenario, RoleScenario, StatusScenario
):
    """All of the API."""
