# SPDX-License-Identifier: Apache-2.0
"""Tests of faults that only Prometheus and Aetos have."""

from distil.tests.support.sandbox import HOUR
from distil.tests.support.sandbox import START
from distil.tests.support.sandbox import PrometheusTestCase

ROUTERS = "openstack_neutron_router[1h]"


class OutageTest(PrometheusTestCase):
    def counts(self, query: str) -> set[int]:
        return {len(series["values"]) for series in self.series(query)}

    def test_hole_has_no_samples(self) -> None:
        self.cloud.add_fault("prometheus", "hole", seconds=1200)
        for query in ("up[1h]", "openstack_neutron_up[1h]", ROUTERS):
            self.assertEqual({40}, self.counts(query), query)
        self.assertEqual([], self.series("up[10m]", START + HOUR / 6))
        self.assertEqual([], self.get("query", query="up", time=START.timestamp() + 120).json()["data"]["result"])

    def test_targets_are_down(self) -> None:
        self.cloud.add_fault("prometheus", "down", seconds=1200)
        for query in ("up[1h]", "openstack_neutron_up[1h]"):
            values = [value for _, value in self.series(query)[0]["values"]]
            self.assertEqual(["0"] * 20 + ["1"] * 40, values)
        self.assertEqual({40}, self.counts(ROUTERS))

    def test_other_projects_have_no_hole(self) -> None:
        self.cloud.add_fault("prometheus", "hole", seconds=3600, project_id=self.project_id)
        self.assertEqual({60}, self.counts("up[1h]"))
        projects = {series["metric"]["project_id"] for series in self.series(ROUTERS)}
        self.assertEqual((4, False), (len(projects), self.project_id in projects))


class WarningsTest(PrometheusTestCase):
    def test_answer_has_warning(self) -> None:
        for service in ("prometheus", "metric-storage"):
            self.cloud.add_fault(service, "warnings", times=1)
            answers = [self.get("query", service, query="up[1h]", time=START.timestamp()).json() for _ in range(2)]
            self.assertEqual([True, False], ["warnings" in answer for answer in answers])
            self.assertEqual(answers[0]["data"], answers[1]["data"])


class ErrorTest(PrometheusTestCase):
    def test_injected_errors_have_the_form_of_each(self) -> None:
        self.cloud.add_fault("prometheus", "status", status=422)
        response = self.get("query", query="up")
        self.assertEqual((422, "execution"), (response.status_code, response.json()["errorType"]))
        self.cloud.add_fault("metric-storage", "status", status=503)
        response = self.get("query", "metric-storage", query="up")
        self.assertEqual((503, "Server"), (response.status_code, response.json()["error_message"]["faultcode"]))

    def test_capped_result_lacks_series(self) -> None:
        self.cloud.add_fault("prometheus", "capped", rows=3)
        self.assertEqual(3, len(self.series(ROUTERS)))
