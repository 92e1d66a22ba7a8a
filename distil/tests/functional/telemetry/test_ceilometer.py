# SPDX-License-Identifier: Apache-2.0
"""The driver against the real Ceilometer v2 API and a real Keystone."""

import datetime
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.telemetry import ceilometer as driver
from distil.tests.support import driver_scenario
from distil.tests.support import statistics_scenario
from distil.tests.support.real import ceilometer
from distil.tests.support.real import keystone


class RealCeilometerCase(driver_scenario.CeilometerCase):
    ceilometer: ClassVar[ceilometer.Ceilometer]

    @classmethod
    def setUpClass(cls) -> None:
        cls.ceilometer = ceilometer.shared()
        cls.session = keystone.shared().session()
        super().setUpClass()

    @classmethod
    def add_samples(cls, project_id: str, meter: str, documents: Iterable[Mapping[str, Any]]) -> None:
        cls.ceilometer.add_samples(project_id, meter, documents)


class RealCeilometerDriverTest(RealCeilometerCase, driver_scenario.DriverScenario):
    def assert_fails(self, session: ks_session.Session, expected: str, region: str = driver_scenario.REGION) -> None:
        ceilometer_driver = driver.CeilometerDriver(session, region, "public")
        end = driver_scenario.START + datetime.timedelta(hours=1)
        with self.assertRaisesRegex(exceptions.TelemetryError, expected):
            list(ceilometer_driver.samples([self.busy], ["cpu"], driver_scenario.START, end))

    def test_wrong_password_raises(self) -> None:
        self.assert_fails(keystone.shared().session(password="wrong"), "HTTP 401")

    def test_region_without_ceilometer_raises(self) -> None:
        self.assert_fails(self.session, "no public endpoint .* region Nowhere", region="Nowhere")

    def test_unauthorized_project_raises(self) -> None:
        self.assert_fails(
            keystone.shared().user_session("member"), f"HTTP 401: Not Authorized to access project .*{self.busy}"
        )


class RealCeilometerApiTest(RealCeilometerCase, driver_scenario.ApiScenario):
    pass


class RealCeilometerStatisticsTest(RealCeilometerCase, statistics_scenario.StatisticsScenario):
    pass
