# SPDX-License-Identifier: Apache-2.0
"""The sandbox cloud behaves as the real Ceilometer does."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox import cloud
from distil.tests.support import driver_scenario
from distil.tests.support import statistics_scenario


class SandboxCeilometer(driver_scenario.CeilometerCase):
    cloud: ClassVar[cloud.Cloud]

    @classmethod
    def setUpClass(cls) -> None:
        cls.cloud = cls.enterClassContext(cloud.Cloud(projects=1))
        credentials: dict[str, Any] = {**cls.cloud.auth()}
        cls.session = ks_session.Session(auth=v3.Password(**credentials), timeout=60)
        super().setUpClass()

    @classmethod
    def add_samples(cls, project_id: str, meter: str, documents: Iterable[Mapping[str, Any]]) -> None:
        cls.cloud.add_samples(project_id, meter, documents)


class TestDriver(SandboxCeilometer, driver_scenario.DriverScenario):
    pass


class TestApi(SandboxCeilometer, driver_scenario.ApiScenario):
    pass


class TestStatistics(SandboxCeilometer, statistics_scenario.StatisticsScenario):
    pass
