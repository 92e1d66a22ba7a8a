# SPDX-License-Identifier: Apache-2.0
"""The API that the Gnocchi driver relies on, as the real Gnocchi has it behind a real Keystone."""

import contextlib
import datetime
import uuid
from collections.abc import Iterator
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil.tests.support import databases
from distil.tests.support import gnocchi_scenario
from distil.tests.support.gnocchi_case import GRANULARITY
from distil.tests.support.real import gnocchi
from distil.tests.support.real import keystone

_BILLING = "billing"
_LOW = "ceilometer-low"


class RealGnocchiTest(gnocchi_scenario.ApiScenario):
    BACKEND = databases.MYSQL
    keystone: ClassVar[keystone.Keystone]
    gnocchi: ClassVar[gnocchi.Gnocchi]
    max_limit = 8
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(hours=1)

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.keystone = keystone.Keystone()
        cls.addClassCleanup(cls.keystone.stop)
        cls.session = cls.keystone.session()
        cls.gnocchi = gnocchi.Gnocchi(cls.keystone, cls.BACKEND, cls.max_limit)
        cls.addClassCleanup(cls.gnocchi.stop)
        cls.gnocchi.add_archive_policy(_BILLING, ("max", "last", "sum", "count"), back_window=24)
        cls.gnocchi.add_archive_policy(_LOW, ("mean",), timespan="30 days")
        cls.gnocchi.add_resource_type("instance", "flavor_name")
        cls.gnocchi.add_resource_type("image")
        cls.project = uuid.uuid4().hex
        cls._fill()
        cls.gnocchi.process()

    @classmethod
    def user_session(cls, role: str) -> ks_session.Session:
        return cls.keystone.user_session(role)

    @classmethod
    def _fill(cls) -> None:
        for _ in range(3):
            instance_id = cls._add_instance(cls.project)
            cls.gnocchi.update_resource("instance", instance_id, flavor_name="large")
        image_id = cls.gnocchi.add_resource("image", cls.project)
        cls.gnocchi.add_measures(image_id, "image.size", _LOW, [(cls.start, 1000)])
        for _ in range(cls.max_limit):
            cls.gnocchi.add_resource("generic", None)

    @classmethod
    def _add_instance(cls, project: str) -> str:
        instance_id = cls.gnocchi.add_resource("instance", project, flavor_name="small")
        measures = [(cls.start + (tick + 0.25) * GRANULARITY, tick) for tick in range(-1, 13)]
        cls.gnocchi.add_measures(instance_id, "disk.root.size", _BILLING, measures, unit="GiB")
        return instance_id

    @contextlib.contextmanager
    def unprocessed(self) -> Iterator[str]:
        self.gnocchi.pause_metricd()
        try:
            yield self._add_instance(uuid.uuid4().hex)
        finally:
            self.gnocchi.resume_metricd()
        self.gnocchi.process()


class RealGnocchiPostgreSQLTest(RealGnocchiTest):
    """Paging relies on the order of IDs, which is the database's."""

    BACKEND = databases.POSTGRESQL
