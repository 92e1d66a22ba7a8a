# SPDX-License-Identifier: Apache-2.0
"""``lease list`` and ``lease release``."""

import datetime

from distil.db import leases
from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.lease_owners import dead_owner

MINUTE = datetime.timedelta(minutes=1)


class LeaseTest(manage.ManageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)

    def lease(self, project_id: str, expires: datetime.datetime | None) -> dict[str, object]:
        return {"project_id": project_id, "owner": "host:1", "created": self.now - MINUTE, "expires": expires}

    def test_list_without_leases_is_empty(self) -> None:
        self.assertEqual([], self.rows("lease", "list"))

    def test_list_is_sorted_with_project_names(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": "Übung"})
        self.insert(models.project_locks, self.lease("p2", self.now - MINUTE), self.lease("p1", self.now + 5 * MINUTE))
        self.assertEqual(
            [
                {
                    "project_id": "p1",
                    "project": "Übung",
                    "owner": "host:1",
                    "acquired": f"{self.now - MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expires": f"{self.now + 5 * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expired": False,
                    "dead": False,
                },
                {
                    "project_id": "p2",
                    "project": None,
                    "owner": "host:1",
                    "acquired": f"{self.now - MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expires": f"{self.now - MINUTE:%Y-%m-%dT%H:%M:%SZ}",
                    "expired": True,
                    "dead": False,
                },
            ],
            self.rows("lease", "list"),
        )

    def test_lease_without_expiry_is_not_expired(self) -> None:
        self.insert(models.project_locks, self.lease("p1", None))
        (row,) = self.rows("lease", "list")
        self.assertEqual((None, False), (row["expires"], row["expired"]))

    def test_dead_owners_lease_is_released(self) -> None:
        self.insert(models.project_locks, self.lease("p1", self.now + 5 * MINUTE) | {"owner": dead_owner()})
        (row,) = self.rows("lease", "list")
        self.assertEqual((False, True), (row["expired"], row["dead"]))
        self.assertEqual({"p1": "released"}, results(self.rows("lease", "release", "--expired")))

    def test_release_requires_force_before_expiry(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": "Übung"})
        self.insert(models.project_locks, self.lease("p1", self.now + 5 * MINUTE), self.lease("p2", self.now - MINUTE))
        rows = self.rows("lease", "release", "Übung", "p2", status=1)
        self.assertEqual({"p1": "not expired; use --force to release it", "p2": "released"}, results(rows))
        self.assertEqual(["p1"], [row["project_id"] for row in self.rows("lease", "list")])
        self.assertEqual({"p1": "released"}, results(self.rows("lease", "release", "p1", "--force")))
        self.assertEqual([], self.rows("lease", "list"))

    def test_expired_option_releases_expired_leases(self) -> None:
        self.insert(models.project_locks, self.lease("p1", self.now + 5 * MINUTE), self.lease("p2", self.now - MINUTE))
        self.assertEqual({"p2": "released"}, results(self.rows("lease", "release", "--expired")))
        self.assertEqual([], self.rows("lease", "release", "--expired"))

    def test_release_requires_choice(self) -> None:
        self.assertEqual("name projects, or use --expired", self.usage_error("lease", "release"))
        self.assertEqual("name projects, or use --expired", self.usage_error("lease", "release", "--force"))

    def test_large_table_is_noted(self) -> None:
        self.insert(models.project_locks, *(self.lease(f"p{number}", None) for number in range(5000)))
        note = "distil-manage: 5000 rows or more, which a table holds in memory: -f csv or jsonl streams them\n"
        self.assertEqual(note, self.notes("lease", "list"))
        self.assertEqual("", self.notes("lease", "list", "-f", "csv"))

    def test_unknown_column_releases_nothing(self) -> None:
        self.insert(models.project_locks, self.lease("p1", self.now - MINUTE))
        self.usage_error("lease", "release", "--expired", "--column", "nosuch")
        self.assertEqual(["p1"], [row["project_id"] for row in self.rows("lease", "list")])

    def test_lease_with_new_owner_is_kept(self) -> None:
        self.insert(models.project_locks, self.lease("p1", self.now - MINUTE))
        (read,) = leases.list_leases(self.engine)
        self.assertFalse(leases.release_lease(self.engine, read._replace(owner="host:0"), force=True))
        self.assertTrue(leases.release_lease(self.engine, read))

    def test_release_without_lease_exits_with_3(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": "Übung"})
        self.assertIn("no collector holds the lease of project p1", self.error("lease", "release", "Übung", status=3))
        self.assertIn(
            "no project in the database has the ID or name 'p2'", self.error("lease", "release", "p2", status=3)
        )


def results(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["project_id"]: row["result"] for row in rows}


class LeaseMySQLTest(LeaseTest):
    BACKEND = databases.MYSQL


class LeasePostgreSQLTest(LeaseTest):
    BACKEND = databases.POSTGRESQL
