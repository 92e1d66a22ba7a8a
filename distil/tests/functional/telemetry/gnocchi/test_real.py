# SPDX-License-Identifier: Apache-2.0
"""The driver against the real Gnocchi behind a real Keystone."""

import contextlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil.tests.support import databases
from distil.tests.support import gnocchi_driver_scenario
from distil.tests.support.gnocchi_driver_case import BILLING
from distil.tests.support.gnocchi_driver_case import MINUTE
from distil.tests.support.gnocchi_driver_case import POLICIES
from distil.tests.support.gnocchi_driver_case import START
from distil.tests.support.gnocchi_driver_case import TYPES
from distil.tests.support.gnocchi_driver_case import Revision
from distil.tests.support.real import gnocchi
from distil.tests.support.real import keystone


class RealGnocchiDriverTest(gnocchi_driver_scenario.DriverScenario):
    BACKEND = databases.MYSQL
    gnocchi: ClassVar[gnocchi.Gnocchi]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        server = keystone.Keystone()
        cls.addClassCleanup(server.stop)
        cls.gnocchi = gnocchi.Gnocchi(server, cls.BACKEND, max_limit=3)
        cls.addClassCleanup(cls.gnocchi.stop)
        for name, aggregations in POLICIES.items():
            cls.gnocchi.add_archive_policy(name, aggregations, timespan="10000 days", back_window=24)
        for name, attributes in TYPES.items():
            cls.gnocchi.add_resource_type(name, *attributes)

    @classmethod
    def session(cls, role: str = "admin") -> ks_session.Session:
        server = cls.gnocchi.keystone
        return server.session() if role == "admin" else server.user_session(role)

    def add_policy(self, name: str, aggregations: Sequence[str], granularity: int, days: int) -> None:
        self.gnocchi.add_archive_policy(name, aggregations, f"{granularity} s", f"{days} days")

    def add_resource(
        self, resource_type: str, *revisions: Revision, ended: float | None = None, identifier: str | None = None
    ) -> str:
        (first, attributes), *others = revisions
        with self.gnocchi.dated(START + first * MINUTE):
            values = {"project_id": None, **attributes} | ({"id": identifier} if identifier else {})
            resource_id = self.gnocchi.add_resource(resource_type, **values)
        for minute, changes in others:
            with self.gnocchi.dated(START + minute * MINUTE):
                self.gnocchi.update_resource(resource_type, resource_id, **changes)
        if ended is not None:
            time = START + ended * MINUTE
            with self.gnocchi.dated(time):
                self.gnocchi.update_resource(resource_type, resource_id, ended_at=time.isoformat())
        return resource_id

    def add_measures(
        self, resource_id: str, metric: str, policy: str, values: Mapping[float, float], unit: str | None = None
    ) -> None:
        measures = [(START + minute * MINUTE, value) for minute, value in values.items()]
        self.gnocchi.add_measures(resource_id, metric, policy, measures, unit)

    def delete(self, resource_type: str, resource_id: str) -> None:
        self.gnocchi.call("DELETE", f"resource/{resource_type}/{resource_id}")

    def process(self) -> None:
        self.gnocchi.process()

    @contextlib.contextmanager
    def unprocessed(self) -> Iterator[None]:
        self.gnocchi.pause_metricd()
        try:
            yield
        finally:
            self.gnocchi.resume_metricd()

    def test_period_waits_until_processed(self) -> None:
        with self.unprocessed():
            self.add("disk", "volume.size", BILLING, {10: 5})
        samples = self.samples("volume.size", driver=self.driver(processing_timeout=60), process=False)
        self.assertEqual([5], [sample.volume for sample in samples])


class RealGnocchiDriverPostgreSQLTest(RealGnocchiDriverTest):
    """Paging relies on the order of ids and times, which is the database's."""

    BACKEND = databases.POSTGRESQL
