# SPDX-License-Identifier: Apache-2.0
"""The driver against the sandbox, which the scenario holds to the real Gnocchi."""

import contextlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox.cloud import Cloud
from distil.sandbox.data.gnocchi_schema import ArchivePolicy
from distil.tests.support import gnocchi_driver_scenario
from distil.tests.support.gnocchi_driver_case import MINUTE
from distil.tests.support.gnocchi_driver_case import POLICIES
from distil.tests.support.gnocchi_driver_case import START
from distil.tests.support.gnocchi_driver_case import TYPES
from distil.tests.support.gnocchi_driver_case import Revision


class SandboxGnocchiDriverTest(gnocchi_driver_scenario.DriverScenario):
    cloud: ClassVar[Cloud]
    _sessions: ClassVar[dict[str, ks_session.Session]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cloud = cls.enterClassContext(Cloud(projects=1, resources=1, gnocchi_max_limit=3))
        cls._sessions = {}
        for name, aggregations in POLICIES.items():
            cls.cloud.gnocchi.add_policy(ArchivePolicy(name, tuple(aggregations), 10_000, back_window=24))
        for name, attributes in TYPES.items():
            cls.cloud.gnocchi.add_type(name, *attributes)

    @classmethod
    def session(cls, role: str = "admin") -> ks_session.Session:
        if role not in cls._sessions:
            user = cls.cloud.add_user(role)
            credentials: dict[str, Any] = cls.cloud.auth(user)
            cls._sessions[role] = ks_session.Session(auth=v3.Password(**credentials), timeout=30)
            cls.addClassCleanup(cls._sessions[role].session.close)
        return cls._sessions[role]

    def add_policy(self, name: str, aggregations: Sequence[str], granularity: int, days: int) -> None:
        self.cloud.gnocchi.add_policy(ArchivePolicy(name, tuple(aggregations), days, granularity=granularity))

    def add_resource(
        self, resource_type: str, *revisions: Revision, ended: float | None = None, identifier: str | None = None
    ) -> str:
        first = revisions[0][1]
        known: dict[str, object] = {}
        history = []
        for minute, changes in revisions:
            known |= changes
            history.append((START + minute * MINUTE, dict(known)))
        return self.cloud.gnocchi.add_resource(
            resource_type,
            first.get("project_id"),
            *history,
            identifier=identifier,
            ended_at=None if ended is None else START + ended * MINUTE,
        )

    def add_measures(
        self, resource_id: str, metric: str, policy: str, values: Mapping[float, float], unit: str | None = None
    ) -> None:
        measures = [(START + minute * MINUTE, value) for minute, value in values.items()]
        self.cloud.gnocchi.add_measures(resource_id, metric, policy, measures, unit)

    def delete(self, resource_type: str, resource_id: str) -> None:
        self.cloud.gnocchi.delete_resource(resource_id)

    def process(self) -> None:
        """What is added is processed."""

    @contextlib.contextmanager
    def unprocessed(self) -> Iterator[None]:
        number = self.cloud.add_fault("metric", "unprocessed", project_id=self.project)
        try:
            yield
        finally:
            self.cloud.faults.clear(number)
