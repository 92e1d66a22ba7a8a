# SPDX-License-Identifier: Apache-2.0
"""``lease list``."""

import datetime

from distil.db import models
from distil.tests.functional import databases
from distil.tests.functional.manage import base

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
MINUTE = datetime.timedelta(minutes=1)


def lease(project_id: str, expires: datetime.datetime | None) -> dict[str, object]:
    return {"project_id": project_id, "owner": "host:1", "created": NOW - MINUTE, "expires": expires}


class LeaseTest(base.ManageTestCase):
    def test_no_leases_are_no_rows(self) -> None:
        self.assertEqual([], self.rows("lease", "list"))

    def test_leases_are_listed_by_project_with_the_name_that_is_stored(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": "Übung"})
        self.insert(models.project_locks, lease("p2", NOW - MINUTE), lease("p1", NOW + 5 * MINUTE))
        self.assertEqual(
            [
                {
                    "project_id": "p1",
                    "project": "Übung",
                    "owner": "host:1",
                    "acquired": f"{NOW - MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expires": f"{NOW + 5 * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expired": False,
                },
                {
                    "project_id": "p2",
                    "project": None,
                    "owner": "host:1",
                    "acquired": f"{NOW - MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expires": f"{NOW - MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expired": True,
                },
            ],
            self.rows("lease", "list"),
        )

    def test_a_lease_of_the_predecessor_has_no_end(self) -> None:
        self.insert(models.project_locks, lease("p1", None))
        (row,) = self.rows("lease", "list")
        self.assertEqual((None, False), (row["expires"], row["expired"]))


class LeaseMySQLTest(LeaseTest):
    BACKEND = databases.MYSQL


class LeasePostgreSQLTest(LeaseTest):
    BACKEND = databases.POSTGRESQL
