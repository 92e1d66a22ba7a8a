# SPDX-License-Identifier: Apache-2.0
"""What tests of the driver gnocchi require of a server of Gnocchi's API, and how they ask the driver."""

import datetime
import pathlib
import tempfile
import unittest
import uuid
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil import model
from distil.telemetry.gnocchi.driver import GnocchiDriver
from distil.tests.support import gnocchi_driver

START = datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
TICKS = range(0, 60, 5)

LOW = "mean-only"
BILLING = "max-last-sum"
POLICIES: Mapping[str, Sequence[str]] = {LOW: ("mean",), BILLING: ("max", "last", "sum")}
"""The aggregations of the archive policies that tests use, which keep five minutes for decades."""

TYPES: Mapping[str, Sequence[str]] = {"vm": ("display_name", "flavor_name"), "disk": ("display_name",), "bucket": ()}
"""The attributes of the resource types."""

METERS = """
- meter: instance
  resource_type: vm
  metric: disk.root.size
  unit: instance
  volume: 1
  metadata:
    display_name: display_name
    instance_type: flavor_name
    root_gb: {value: true}
    memory: {metric: memory}
- meter: volume.size
  resource_type: disk
  metric: volume.size
  aggregations: [max, mean]
  metadata: {name: display_name}
- meter: traffic
  resource_type: vm
  metric: traffic
  kind: delta
  metadata: {name: display_name}
- meter: storage.containers.objects.size
  resource_type: bucket
  metric: storage.containers.objects.size
  resource_id: container
"""

Revision = tuple[float, Mapping[str, Any]]
"""The minute after the start at which a revision begins, and the attributes that it changes."""


class GnocchiServerCase(unittest.TestCase):
    """Says what the server must be able to do. It has the policies and the types, and answers with three rows at most.

    All tests fill the same cloud, and look at what projects of their own have in it.
    """

    @classmethod
    def session(cls, role: str = "admin") -> ks_session.Session:
        """The session of a user who has a role in a project of the cloud's own."""
        raise NotImplementedError

    def add_policy(self, name: str, aggregations: Sequence[str], granularity: int, days: int) -> None:
        """:param granularity: seconds."""
        raise NotImplementedError

    def add_resource(
        self,
        resource_type: str,
        *revisions: Revision,
        ended: float | None = None,
        identifier: str | None = None,
    ) -> str:
        """Add a resource with a history, and return its id.

        :param revisions: the first has the ``project_id``.
        :param ended: minutes after the start.
        """
        raise NotImplementedError

    def add_measures(
        self, resource_id: str, metric: str, policy: str, values: Mapping[float, float], unit: str | None = None
    ) -> None:
        """Have a resource measured.

        :param values: by minutes after the start.
        """
        raise NotImplementedError

    def delete(self, resource_type: str, resource_id: str) -> None:
        raise NotImplementedError

    def process(self) -> None:
        """Wait until all measures are processed."""
        raise NotImplementedError

    def unprocessed(self) -> AbstractContextManager[None]:
        """Hold back measures of the test's project that are added meanwhile."""
        raise NotImplementedError


class GnocchiDriverCase(GnocchiServerCase):
    """Asks the driver."""

    meters_file: ClassVar[pathlib.Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.meters_file = pathlib.Path(directory.name, "meters.yml")
        cls.meters_file.write_text(METERS)

    def setUp(self) -> None:
        super().setUp()
        self.project, self.other_project = uuid.uuid4().hex, uuid.uuid4().hex

    def driver(self, session: ks_session.Session | None = None, **changes: Any) -> GnocchiDriver:
        """:param session: the administrator's by default.
        :param changes: of options.
        """
        options = {"meters_file": str(self.meters_file), "processing_timeout": 20} | changes
        return gnocchi_driver.create(session or self.session(), **options)

    def add(
        self,
        resource_type: str,
        metric: str,
        policy: str,
        values: Mapping[float, float],
        *changes: Revision,
        **more: Any,
    ) -> str:
        """Add a resource of an hour before, with measures.

        :param values: by minutes after the start.
        :param changes: later revisions.
        :param more: attributes, also ``project_id`` if it is not that of the test; ``ended``; ``identifier``; ``unit``.
        """
        unit = more.pop("unit", None)
        special = {name: more.pop(name) for name in ("ended", "identifier") if name in more}
        first = (-60.0, {"project_id": self.project} | more)
        resource_id = self.add_resource(resource_type, first, *changes, **special)
        self.add_measures(resource_id, metric, policy, values, unit)
        return resource_id

    def samples(
        self, meter: str, *projects: str, driver: GnocchiDriver | None = None, process: bool = True
    ) -> list[model.Sample]:
        """The samples of the test's project by default, in order."""
        if process:
            self.process()
        found = (driver or self.driver()).samples(projects or (self.project,), [meter], START, START + HOUR)
        samples: list[model.Sample] = []
        for sample in found:
            assert isinstance(sample, model.Sample), sample
            samples.append(sample)
        return sorted(samples, key=lambda sample: (sample.timestamp, sample.document["id"]))

    def volumes(self, meter: str, *projects: str) -> dict[int, Any]:
        """Volumes by minute, of a single resource."""
        samples = self.samples(meter, *projects)
        volumes = {int((sample.timestamp - START) / MINUTE): sample.volume for sample in samples}
        self.assertEqual(len(samples), len(volumes))
        return volumes
