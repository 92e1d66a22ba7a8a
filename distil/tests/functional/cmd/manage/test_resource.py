# SPDX-License-Identifier: Apache-2.0
"""``resource show``."""

import datetime

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 31, 22, tzinfo=datetime.UTC)


class ResourceShowTest(manage.ManageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.insert(models.tenants, *({"id": project, "name": f"name of {project}"} for project in ("p1", "p2")))
        info = {"created": START, "info": '{"name": "gr\\u00f6\\u00dfe", "type": "Volume"}'}
        keys = (("r1", "p1"), ("r2", "p1"), ("r2", "p2"))
        self.insert(models.resources, *({"id": resource, "tenant_id": project, **info} for resource, project in keys))
        entry = {"tenant_id": "p1", "resource_id": "r1", "unit": "gigabyte", "volume": 1}
        self.insert(
            models.usage_entry,
            *(
                {**entry, "service": service, "start": START + hour * HOUR, "end": START + (hour + 1) * HOUR}
                for service, hour in (("b1.nvme", 0), ("b1.nvme", 1), ("b1.standard", 2))
            ),
        )

    def test_show_has_contents_and_metadata(self) -> None:
        self.assertEqual(
            {
                "id": "r1",
                "project_id": "p1",
                "project": "name of p1",
                "domain_id": None,
                "created": "2026-01-31T22:00:00Z",
                "services": "b1.nvme, b1.standard",
                "usage_entries": 3,
                "first_usage": "2026-01-31T22:00:00Z",
                "last_usage": "2026-02-01T01:00:00Z",
                "rejected_samples": 0,
                "info": {"name": "größe", "type": "Volume"},
            },
            self.rows("resource", "show", "r1"),
        )

    def test_id_in_several_projects_requires_project(self) -> None:
        self.assertIn("choose by --project: p1, p2", self.error("resource", "show", "r2", status=3))
        shown = self.rows("resource", "show", "r2", "--project", "name of p2")
        self.assertEqual(
            ("p2", "", 0, None), tuple(shown[key] for key in ("project_id", "services", "usage_entries", "last_usage"))
        )

    def test_unknown_resource_exits_with_3(self) -> None:
        self.assertIn("no resource in the database has the ID 'R1'", self.error("resource", "show", "R1", status=3))


class ResourceShowMySQLTest(ResourceShowTest):
    BACKEND = databases.MYSQL


class ResourceShowPostgreSQLTest(ResourceShowTest):
    BACKEND = databases.POSTGRESQL
