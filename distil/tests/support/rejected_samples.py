# SPDX-License-Identifier: Apache-2.0
"""A database with rejected samples, most of which the current rules can bill."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.db import store
from distil.tests.support import manage

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
WINDOWS = [model.Window(START + n * HOUR, START + (n + 1) * HOUR) for n in range(2)]
MAPPINGS = """
- meter: network
  service: n1.network
  unit: hour
  transformer: max
  type: Network
  metadata: {name: {sources: [name]}}
- meter: traffic
  service: n1.traffic
  unit: byte
  transformer: sum
"""
_KEYSTONE = """[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:1
username = u
password = p
project_name = p
user_domain_id = default
project_domain_id = default
"""

Usage = tuple[str, str, str, Decimal, datetime.datetime]


def rejected(
    project_id: str, meter: str, resource_id: str, window: model.Window = WINDOWS[0], **values: Any
) -> model.RejectedSample:
    document = {
        "id": f"{meter} {resource_id} {values}",
        "resource_id": resource_id,
        "timestamp": window.start.isoformat(),
        "volume": 5,
        "source": "openstack",
        "metadata": {"name": "größe"},
    }
    return model.RejectedSample(project_id, meter, resource_id, "there was an error", document | values)


class RejectedSamplesTestCase(manage.ManageTestCase):
    """Stores rejected samples of r1, r2 and r3 for two windows of two projects; only those of r3 cannot be billed."""

    def setUp(self) -> None:
        super().setUp()
        self.write_mappings(MAPPINGS)
        (self.config.parent / "transformer.yml").write_text("{}")
        self.configure()
        self.addCleanup(self.clear)
        self.fill()

    def write_mappings(self, text: str) -> None:
        (self.config.parent / "mappings.yml").write_text(text)

    def configure(self, more: str = "") -> None:
        folder = self.config.parent
        files = f"meter_mappings_file = {folder}/mappings.yml\ntransformer_file = {folder}/transformer.yml\n"
        self.config.write_text(f"[database]\nconnection = {self.url}\n{_KEYSTONE}[collector]\n{files}{more}")

    def clear(self) -> None:
        with self.engine.begin() as connection:
            for table in (models.usage_entry, models.resources, models.rejected_samples, models.tenants):
                connection.execute(sa.delete(table))

    def fill(self) -> None:
        opened = store.Store(self.engine)
        for project_id in ("p1", "p2"):
            opened.register_projects([(model.Project(project_id, f"name of {project_id}", "d"), START)])
            for window in WINDOWS:
                kept = [
                    rejected(project_id, "network", "r1", window),
                    rejected(project_id, "traffic", "r2", window, volume=3),
                    rejected(project_id, "traffic", "r2", window, volume=0.5),
                    rejected(project_id, "traffic", "r3", window, volume="much"),
                ]
                opened.project(project_id).commit(window, [], [], kept)

    def ids(self, **where: Any) -> list[int]:
        query = sa.select(models.rejected_samples.c.id).filter_by(**where).order_by(models.rejected_samples.c.id)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))

    def usage(self) -> list[Usage]:
        columns = models.usage_entry.c
        query = sa.select(columns.tenant_id, columns.service, columns.resource_id, columns.volume, columns.start)
        with self.engine.connect() as connection:
            return sorted(tuple(row) for row in connection.execute(query))

    def expected(self, *projects: str, windows: Sequence[model.Window] = WINDOWS) -> list[Usage]:
        """Return the usage of these projects after everything that can be billed is billed."""
        return sorted(
            (project_id, *entry, window.start)
            for project_id in projects
            for window in windows
            for entry in (("n1.network", "r1", Decimal(5)), ("n1.traffic", "r2", Decimal("3.5")))
        )
