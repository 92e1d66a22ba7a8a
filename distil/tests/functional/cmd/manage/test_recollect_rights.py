# SPDX-License-Identifier: Apache-2.0
"""``usage recollect`` and ``period close`` with the rights that their page lists, and with those of a collector."""

import pathlib
import re
import unittest
from collections.abc import Iterator

import sqlalchemy as sa

from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support import secrets
from distil.tests.support.site import Site

PAGE = pathlib.Path(__file__).parents[5] / "doc" / "source" / "admin" / "bill" / "recollection.rst"
OTHER_PRIVILEGES = ("Insert", "Update", "Delete")


def grants(dialect: str) -> list[str]:
    """Return the statements of the page in one language."""
    (block,) = re.findall(rf"^\.\. code-block:: {dialect}\n\n((?:   .*\n)+)", PAGE.read_text(), re.MULTILINE)
    return [line.strip() for line in block.splitlines()]


class RecollectRightsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(self.backend(), projects=1, resources=1))
        self.site.collect()
        project = self.site.cloud.projects.enabled_ids[0]
        # One gives an entry and a rejected sample, the other replaces an entry.
        metadata = {"floating_ip_address": "203.0.113.1"}
        self.late = [
            self.site.sample(project, "ip.floating", volume=volume, metadata=metadata) for volume in (1, "much", 2)
        ]
        self.project = project

    def backend(self) -> str:
        return databases.MYSQL

    def test_listed_rights_suffice(self) -> None:
        with secrets.mariadb_user(self.site.url, "sekret", OTHER_PRIVILEGES) as url:
            self.grant(str(sa.make_url(url).username))
            self.site.url = url
            self.site.configure()
            self.recollect_twice()
            self.close()

    def test_rights_of_collector_are_refused(self) -> None:
        with secrets.mariadb_user(self.site.url, "sekret", ["Update", "Delete"]) as url:
            self.site.url = url
            self.site.configure()
            message, refused = self.recollect(status=1), self.close(status=1)
        self.assertIn("lacks the privilege UPDATE on tenants, resources, receipts, DELETE on", message)
        self.assertIn("lacks the privilege UPDATE on periods, tenants", refused)

    def grant(self, user: str) -> None:
        """Grant by the server's own tables: the tests' user may write them, but not grant."""
        database = sa.make_url(self.site.url).database
        row = "INSERT INTO mysql.tables_priv VALUES ('%', :database, :user, :table, '', NOW(), :privileges, '')"
        with self.site.engine.begin() as connection:
            for privileges, table in _parsed(grants("mysql")):
                values = {"database": database, "user": user, "table": table, "privileges": privileges}
                connection.execute(sa.text(row), values)
            connection.exec_driver_sql("FLUSH PRIVILEGES")

    def recollect_twice(self) -> None:
        """The second time entries and receipts of the first are replaced."""
        for samples in (self.late[:2], self.late[2:]):
            self.site.cloud.add_samples(self.project, "ip.floating", samples)
            self.assertIn("6 windows: 1 recollected, 5 unchanged", self.recollect())

    def recollect(self, status: int = 0) -> str:
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        result = manage.run(self.site.config, "usage", "recollect", "--all", *period, "--reason", "late")
        self.assertEqual(status, result.returncode, result.stderr)
        return result.stderr

    def close(self, status: int = 0) -> str:
        period = ("night", "--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        accepted = [f"--except={subject}=tested" for subject in (self.project, "rechecks")]
        result = manage.run(self.site.config, "period", "close", *period, *accepted)
        self.assertEqual(status, result.returncode, result.stderr)
        return result.stderr


class RecollectRightsPostgreSQLTest(RecollectRightsTest):
    def backend(self) -> str:
        return databases.POSTGRESQL

    def test_listed_rights_suffice(self) -> None:
        self.revoke()
        for statement in grants("postgresql"):
            self.execute(statement.replace("TO billing", "TO CURRENT_USER"))
        self.recollect_twice()
        self.close()

    def test_rights_of_collector_are_refused(self) -> None:
        self.revoke()
        self.execute("GRANT INSERT ON ALL TABLES IN SCHEMA public TO CURRENT_USER")
        self.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO CURRENT_USER")
        message = self.recollect(status=1)
        self.assertIn("lacks the privilege UPDATE on tenants, resources, receipts, DELETE on", message)

    def revoke(self) -> None:
        """The tests' user owns the tables, and may give itself everything back."""
        for objects in ("TABLES", "SEQUENCES"):
            self.execute(f"REVOKE ALL ON ALL {objects} IN SCHEMA public FROM CURRENT_USER")
        self.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO CURRENT_USER")

    def execute(self, statement: str) -> None:
        with self.site.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def _parsed(statements: list[str]) -> Iterator[tuple[str, str]]:
    """The privileges and the table of each statement."""
    for statement in statements:
        match = re.fullmatch(r"GRANT (.*) ON distil\.(\w+) TO 'billing'@'%';", statement)
        assert match, statement
        yield match[1].replace(" ", "").title(), match[2]
