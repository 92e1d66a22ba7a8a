# SPDX-License-Identifier: Apache-2.0
"""The real Aetos answers as the driver expects, by the role of the user, and the driver reads from it."""

import unittest
import uuid
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

import requests
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.tests.support import prometheus_driver_scenario
from distil.tests.support import prometheus_report_scenario
from distil.tests.support import prometheus_scenario
from distil.tests.support.prometheus_scenario import END
from distil.tests.support.prometheus_scenario import MILLISECOND
from distil.tests.support.prometheus_scenario import START
from distil.tests.support.prometheus_scenario import seconds
from distil.tests.support.real import aetos
from distil.tests.support.real import keystone
from distil.tests.support.real import prometheus
from distil.tests.support.real.aetos import Aetos
from distil.tests.support.real.prometheus import Prometheus
from distil.tests.support.real.prometheus import Series


class RealAetosCase(prometheus_scenario.PrometheusCase):
    max_samples = prometheus.MAX_SAMPLES

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        aetos.shared()
        cls.session = keystone.shared().session()

    @classmethod
    def add_series(cls, *series: Series) -> None:
        prometheus.shared().add(*series)


class RealAetosApiTest(RealAetosCase, prometheus_scenario.AetosScenario):
    pass


class RealAetosDriverCase(RealAetosCase, prometheus_driver_scenario.DriverCase):
    def driver_options(self) -> Mapping[str, Any]:
        return {}


class RealAetosDriverTest(RealAetosDriverCase, prometheus_driver_scenario.DriverScenario):
    pass


class RealAetosReportTest(RealAetosDriverCase, prometheus_report_scenario.ReportScenario):
    pass


class DriverRightsTest(RealAetosDriverCase):
    """The project has a sample, which a user without rights to it would not see."""

    def setUp(self) -> None:
        super().setUp()
        self.add_series(self.series([(START, 1)]))

    def test_check_names_missing_role(self) -> None:
        driver = self.driver({}, session=keystone.shared().user_session("reader"))
        with self.assertRaisesRegex(exceptions.TelemetryError, "needs the role admin or service") as caught:
            list(driver.problems())
        self.assertTrue(caught.exception.affects_all)

    def assert_fails(self, session: ks_session.Session, expected: str, region_name: str | None = None) -> None:
        driver = self.driver({}, session=session, region_name=region_name)
        with self.assertRaisesRegex(exceptions.TelemetryError, expected):
            self.read(driver)

    def test_role_service_suffices(self) -> None:
        self.assertEqual(1, len(self.read(self.driver({}, session=keystone.shared().user_session("service")))))

    def test_other_roles_raise(self) -> None:
        for role_name in ("reader", "member", "none"):
            with self.subTest(role_name=role_name):
                expected = "may not read the samples of all projects, and needs the role admin or service: .*HTTP 403"
                self.assert_fails(keystone.shared().user_session(role_name), expected)

    def test_wrong_password_raises(self) -> None:
        self.assert_fails(keystone.shared().session(password="wrong"), "HTTP 401")

    def test_region_without_aetos_raises(self) -> None:
        self.assert_fails(self.session, "no public endpoint of the metric-storage service in region Nowhere", "Nowhere")


class RolesTest(unittest.TestCase):
    """A metric has a series of the user's own project and one of another."""

    url: ClassVar[str]
    metric: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.url = f"{aetos.shared().url}/api/v1"
        cls.metric = f"m{uuid.uuid4().hex}"

    def user(self, role_name: str) -> ks_session.Session:
        session = keystone.shared().user_session(role_name)
        projects = [session.get_project_id() or "", uuid.uuid4().hex]
        prometheus.shared().add(*(Series(self.labels(project_id), [(START, 1)]) for project_id in projects))
        return session

    def labels(self, project_id: str) -> dict[str, str]:
        return {"__name__": self.metric, "project": project_id}

    def get(self, session: ks_session.Session, path: str, **params: Any) -> requests.Response:
        return session.get(f"{self.url}/{path}", params=params, raise_exc=False)

    def projects(self, session: ks_session.Session, query: str) -> set[str]:
        response = self.get(session, "query", query=query, time=seconds(END - MILLISECOND))
        self.assertEqual(200, response.status_code, response.text)
        return {series["metric"]["project"] for series in response.json()["data"]["result"]}

    def test_privileged_roles_see_all_projects(self) -> None:
        for role_name in ("admin", "service"):
            with self.subTest(role_name=role_name):
                session = self.user(role_name)
                found = self.projects(session, f"{self.metric}[3600s]")
                self.assertLess({session.get_project_id()}, found)
                self.assertEqual(200, self.get(session, "status/runtimeinfo").status_code)

    def test_other_roles_see_own_project(self) -> None:
        """The other projects look as if they had no usage."""
        for role_name in ("reader", "member", "manager"):
            with self.subTest(role_name=role_name):
                session = self.user(role_name)
                self.assertEqual({session.get_project_id()}, self.projects(session, f"{self.metric}[3600s]"))
                others = f'{self.metric}{{project!="{session.get_project_id()}"}}[3600s]'
                self.assertEqual(set(), self.projects(session, others))
                self.assertEqual(403, self.get(session, "status/runtimeinfo").status_code)

    def test_reader_is_refused_unknown_metric(self) -> None:
        response = self.get(self.user("reader"), "query", query=f"m{uuid.uuid4().hex}")
        self.assertEqual(400, response.status_code)
        self.assertIn("unexpected identifier", response.json()["error_message"]["faultstring"])

    def test_role_without_rights_is_refused(self) -> None:
        session = self.user("none")
        for path in ("query", "status/runtimeinfo"):
            with self.subTest(path=path):
                response = self.get(session, path, **({"query": self.metric} if path == "query" else {}))
                self.assertEqual(403, response.status_code)
                self.assertEqual("RBAC Authorization Failed", response.json()["error_message"]["faultstring"])

    def test_token_is_required(self) -> None:
        for headers in ({}, {"X-Auth-Token": "wrong"}, {"X-Roles": "admin", "X-Project-Id": "p"}):
            with self.subTest(headers=headers):
                response = requests.get(f"{self.url}/query?query=up", headers=headers, timeout=60)
                self.assertEqual((401, "Unauthorized"), (response.status_code, response.json()["error"]["title"]))


class PrometheusFailureTest(unittest.TestCase):
    """Another Aetos, behind a Keystone of its own, whose Prometheus does not answer it."""

    keystone: ClassVar[keystone.Keystone]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.keystone = keystone.Keystone()
        cls.addClassCleanup(cls.keystone.stop)

    def ask(self, server: Prometheus) -> tuple[int, str]:
        proxy = Aetos(self.keystone, server)
        self.addCleanup(proxy.stop)
        response = self.keystone.session().get(f"{proxy.url}/api/v1/query?query=up", raise_exc=False)
        return response.status_code, response.json()["error_message"]["faultstring"]

    def test_stopped_prometheus_is_server_error(self) -> None:
        server = Prometheus()
        server.stop()
        status_code, text = self.ask(server)
        self.assertEqual(500, status_code)
        self.assertIn("Connection refused", text)

    def test_refused_password_looks_as_refused_token(self) -> None:
        server = Prometheus(basic_auth=True)
        self.addCleanup(server.stop)
        self.assertEqual((401, "[401] Unauthorized\n"), self.ask(server))
