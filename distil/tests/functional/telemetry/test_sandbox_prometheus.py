# SPDX-License-Identifier: Apache-2.0
"""The sandbox cloud behaves as the real Prometheus and the real Aetos do."""

from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from keystoneauth1 import noauth
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox import cloud
from distil.sandbox.apis.prometheus_queries import PrometheusSettings
from distil.tests.support import prometheus_driver_scenario
from distil.tests.support import prometheus_report_scenario
from distil.tests.support import prometheus_scenario
from distil.tests.support.real.prometheus import Series


class SandboxPrometheusCase(prometheus_scenario.PrometheusCase):
    cloud: ClassVar[cloud.Cloud]
    version = 2
    max_samples = 1000

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        settings = PrometheusSettings(version=cls.version, max_samples=cls.max_samples)
        cls.cloud = cls.enterClassContext(cloud.Cloud(projects=1, prometheus=settings))
        cls.session = ks_session.Session(auth=cls.auth(), timeout=60)
        cls.addClassCleanup(cls.session.session.close)

    @classmethod
    def auth(cls) -> Any:
        return noauth.NoAuth(endpoint=cls.cloud.prometheus_url)

    @classmethod
    def add_series(cls, *series: Series) -> None:
        for labels, samples in series:
            cls.cloud.add_series(labels, samples)


class PrometheusTest(SandboxPrometheusCase, prometheus_scenario.PrometheusScenario):
    pass


class LeftOpenRangeTest(SandboxPrometheusCase, prometheus_scenario.PrometheusScenario):
    version = 3


class SandboxAetosCase(SandboxPrometheusCase):
    @classmethod
    def auth(cls) -> Any:
        credentials: dict[str, Any] = {**cls.cloud.auth()}
        return v3.Password(**credentials)


class AetosTest(SandboxAetosCase, prometheus_scenario.AetosScenario):
    pass


class SandboxDriverCase(SandboxPrometheusCase, prometheus_driver_scenario.DriverCase):
    def driver_options(self) -> Mapping[str, Any]:
        return {"url": self.cloud.prometheus_url}


class DriverTest(SandboxDriverCase, prometheus_driver_scenario.DriverScenario):
    pass


class WholenessTest(SandboxDriverCase, prometheus_driver_scenario.WholenessScenario):
    pass


class ReportTest(SandboxDriverCase, prometheus_report_scenario.ReportScenario):
    pass


class CounterTest(SandboxDriverCase, prometheus_driver_scenario.CounterScenario):
    pass


class LeftOpenRangeDriverTest(SandboxDriverCase, prometheus_driver_scenario.DriverScenario):
    version = 3


class LeftOpenRangeCounterTest(SandboxDriverCase, prometheus_driver_scenario.CounterScenario):
    version = 3


class AetosDriverTest(SandboxAetosCase, prometheus_driver_scenario.DriverScenario):
    def driver_options(self) -> Mapping[str, Any]:
        return {}
