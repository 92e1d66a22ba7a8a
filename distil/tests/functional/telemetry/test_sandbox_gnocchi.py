# SPDX-License-Identifier: Apache-2.0
"""The sandbox cloud behaves as the real Gnocchi does."""

import contextlib
import datetime
import uuid
from collections.abc import Iterator
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox import cloud
from distil.sandbox.data.credentials import Credentials
from distil.tests.support import gnocchi_scenario
from distil.tests.support.gnocchi_case import GRANULARITY

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class SandboxGnocchiTest(gnocchi_scenario.ApiScenario):
    cloud: ClassVar[cloud.Cloud]
    max_limit = 20
    start, end = START, START + HOUR

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        served = cloud.Cloud(projects=2, start=START, end=START + HOUR, gnocchi_max_limit=cls.max_limit)
        cls.cloud = cls.enterClassContext(served)
        cls.session = cls._open(cls.cloud.credentials)
        cls.project = uuid.uuid4().hex
        for _ in range(3):
            cls._add_instance(cls.project)
        image = cls.cloud.gnocchi.add_resource("image", cls.project, (START, {"name": "image"}))
        cls.cloud.gnocchi.add_measures(image, "image.size", "ceilometer-low", [(START, 1.0)], "B")

    @classmethod
    def _add_instance(cls, project_id: str) -> str:
        gnocchi = cls.cloud.gnocchi
        revisions = ((START, {"flavor_name": "small"}), (START + HOUR / 2, {"flavor_name": "large"}))
        instance = gnocchi.add_resource("instance", project_id, *revisions)
        measures = [(START + number * GRANULARITY, 20.0 + number // 6 * 20) for number in range(12)]
        gnocchi.add_measures(instance, "disk.root.size", "billing", measures, "GiB")
        return instance

    @classmethod
    def _open(cls, credentials: Credentials) -> ks_session.Session:
        auth: dict[str, Any] = {**cls.cloud.auth(credentials)}
        session = ks_session.Session(auth=v3.Password(**auth), timeout=60)
        cls.addClassCleanup(session.session.close)
        return session

    @classmethod
    def user_session(cls, role: str) -> ks_session.Session:
        return cls._open(cls.cloud.add_user(role))

    @contextlib.contextmanager
    def unprocessed(self) -> Iterator[str]:
        project_id = uuid.uuid4().hex
        number = self.cloud.add_fault("metric", "unprocessed", project_id=project_id)
        yield self._add_instance(project_id)
        self.cloud.faults.clear(number)
