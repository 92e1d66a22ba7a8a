# SPDX-License-Identifier: Apache-2.0
"""Missing privileges of the database user. The collector's tests on MariaDB show that no others are needed."""

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.db import models
from distil.db import privileges
from distil.tests.support import databases
from distil.tests.support import secrets


class TestPrivilegesSQLite(databases.DatabaseTestCase):
    def test_full_privileges_report_and_store_nothing(self) -> None:
        self.assertEqual([], list(privileges.missing_privileges(self.engine)))
        with self.engine.connect() as connection:
            for table in models.metadata.sorted_tables:
                self.assertEqual([], connection.execute(sa.select(table)).all())


class TestPrivilegesMySQL(TestPrivilegesSQLite):
    BACKEND = databases.MYSQL

    def test_reports_missing_privilege_per_table(self) -> None:
        for privilege, tables in {
            "Delete": ["project_locks", "project_failures", "rejected_samples"],
            "Update": ["tenants", "resources", "project_locks", "project_failures"],
        }.items():
            with secrets.mariadb_user(self.url, "sekret", [privilege]) as url:
                engine = db_engine.create_engine(url)
                self.addCleanup(engine.dispose)
                reported = [problem.partition(":")[0] for problem in privileges.missing_privileges(engine)]
            self.assertEqual([f"{privilege.upper()} on {table}" for table in tables], reported)


class TestPrivilegesPostgreSQL(TestPrivilegesSQLite):
    BACKEND = databases.POSTGRESQL

    def test_reports_privileges_revoked_from_owner(self) -> None:
        sequence = "rejected_samples_id_seq"
        for privilege, name in (("DELETE", "TABLE project_locks"), ("ALL", f"SEQUENCE {sequence}")):
            self.execute(f"REVOKE {privilege} ON {name} FROM CURRENT_USER")
            self.addCleanup(self.execute, f"GRANT {privilege} ON {name} TO CURRENT_USER")
        locks, sample = privileges.missing_privileges(self.engine)
        self.assertIn("DELETE on project_locks: permission denied", locks)
        self.assertIn(f"INSERT on rejected_samples: permission denied for sequence {sequence}", sample)

    def execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)
