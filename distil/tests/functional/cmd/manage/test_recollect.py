# SPDX-License-Identifier: Apache-2.0
"""``usage recollect``."""

import json
import unittest
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

METER, SERVICE = "ip.floating", "n1.ipv4"
TABLES = (
    models.usage_entry,
    models.usage_history,
    models.receipts,
    models.receipt_history,
    models.late_windows,
    models.rejected_samples,
)


class _RecollectTestCase(unittest.TestCase):
    """A site whose usage is collected; each test finds it so."""

    BACKEND = databases.SQLITE

    site: ClassVar[Site]
    projects: ClassVar[Sequence[str]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site(cls.BACKEND, projects=2, resources=1))
        cls.site.collect()
        cls.projects = cls.site.cloud.projects.enabled_ids

    def setUp(self) -> None:
        self.before = self.contents()
        self.addCleanup(self.restore, *TABLES, models.documents)
        self.addCleanup(self.site.cloud.injected_samples.clear)
        self.addCleanup(self.site.configure)

    def restore(self, *tables: sa.Table) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.delete(models.periods))
            for table in tables:
                connection.execute(sa.delete(table))
                if self.before[table.name]:
                    connection.execute(sa.insert(table), self.before[table.name])

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        with self.site.engine.connect() as connection:
            return {
                table.name: sorted(map(dict, connection.execute(sa.select(table)).mappings()), key=str)
                for table in (*TABLES, models.documents)
            }

    def execute(self, statement: sa.Executable) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(statement)

    def recollect(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """Return the differences that the command shows."""
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        given = () if "--late" in arguments or "--end" in arguments else period
        reason = ("--reason", "late samples")
        result = manage.run(self.site.config, "usage", "recollect", *given, *arguments, *reason, "-f", "json")
        self.assertEqual(status, result.returncode, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.notes = result.stderr
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows

    def add(self, number: int = 0, hour: int = 0, **values: Any) -> None:
        """Have a sample come late."""
        project_id = self.projects[number]
        time = self.site.start + hour * HOUR + HOUR / 2
        values = {"metadata": {"floating_ip_address": "203.0.113.1"}, **values}
        values |= {"timestamp": time.replace(tzinfo=None).isoformat()}
        self.site.cloud.add_samples(project_id, METER, [self.site.sample(project_id, METER, **values)])

    def rows(self, table: sa.Table, **where: Any) -> list[Any]:
        return self.site.rows(sa.select(table).filter_by(**where))

    def difference(self, number: int, before: str, after: str, change: str, entries: int) -> dict[str, Any]:
        names = ("project_id", "project", "service", "unit", "before", "after", "change", "entries")
        values = (self.projects[number], f"project-{number}", SERVICE, "hour", before, after, change, entries)
        return dict(zip(names, values, strict=True))


class RecollectSQLiteTest(_RecollectTestCase):
    """What depends on the database."""

    def test_equal_windows_are_left_alone(self) -> None:
        self.assertEqual([], self.recollect("--all"))
        self.assertEqual(self.before, self.contents())
        self.assertIn("9 windows: 9 unchanged", self.notes)

    def test_late_sample_gives_usage_of_fresh_collection(self) -> None:
        self.add()
        self.assertEqual([self.difference(0, "3", "4", "1", 1)], self.recollect(self.projects[0]))
        with Site(self.BACKEND, cloud=self.site.cloud) as fresh:
            fresh.collect()
            self.assertEqual(fresh.usage(), self.site.usage())
        again = self.contents()
        self.assertEqual([], self.recollect("--all"))
        self.assertEqual(again, self.contents())

    def test_replaced_entry_is_kept(self) -> None:
        self.add(resource_id="new", volume=2)
        self.recollect("--all")
        self.add(resource_id="new", volume=5, id="later")
        self.assertEqual([self.difference(0, "5", "8", "3", 1)], self.recollect("--all"))
        (entry,) = self.rows(models.usage_history)
        self.assertEqual((Decimal(2), 1, "late samples"), (entry.volume, entry.revision, entry.reason))
        self.assertIn("@", entry.changed_by)
        revisions = [row.revision for row in self.rows(models.receipt_history)]
        self.assertEqual([0, 1], sorted(revisions))
        self.assertEqual(1, len(self.rows(models.receipts, revision=2)))

    def test_late_windows_are_settled(self) -> None:
        self.add()
        self.add(number=1, hour=2, source="untrusted")
        manage.run(self.site.config, "window", "recheck", "--start", self.site.start.isoformat())
        self.assertEqual(2, len(self.rows(models.late_windows)))
        self.assertEqual([self.difference(0, "1", "2", "1", 1)], self.recollect("--late"))
        self.assertIn("2 windows: 2 recollected", self.notes)
        self.assertEqual([], self.rows(models.late_windows))
        self.assertEqual(2, len(self.rows(models.receipts, revision=1)))

    def test_unrecorded_window_gets_receipt(self) -> None:
        self.execute(sa.delete(models.receipts))
        self.add()
        self.assertEqual([self.difference(0, "3", "4", "1", 1)], self.recollect("--all"))
        self.assertEqual({1}, {row.revision for row in self.rows(models.receipts)})

    def test_lost_window_of_named_project_is_filled(self) -> None:
        usage = self.site.usage()
        for table in (models.usage_entry, models.receipts):
            start = self.site.start + HOUR
            self.execute(sa.delete(table).filter_by(tenant_id=self.projects[0], start=start))
        self.assertEqual([], self.recollect("--all"))
        self.assertIn(self.difference(0, "2", "3", "1", 1), self.recollect(self.projects[0]))
        self.assertEqual(usage, self.site.usage())


class RecollectPostgreSQLTest(RecollectSQLiteTest):
    BACKEND = databases.POSTGRESQL


class RecollectMySQLTest(RecollectSQLiteTest):
    BACKEND = databases.MYSQL

    def test_dry_run_changes_nothing(self) -> None:
        self.add()
        self.assertEqual([self.difference(0, "3", "4", "1", 1)], self.recollect("--all", "--dry-run"))
        self.assertEqual(self.before, self.contents())
        self.assertIn("1 would be recollected, 8 unchanged", self.notes)

    def test_stale_late_mark_is_deleted(self) -> None:
        self.add()
        manage.run(self.site.config, "window", "recheck", "--start", self.site.start.isoformat())
        self.site.cloud.injected_samples.clear()
        self.recollect("--late", self.projects[0])
        self.assertEqual(self.before, self.contents())

    def test_fewer_samples_are_refused(self) -> None:
        self.add()
        self.recollect("--all")
        self.site.cloud.injected_samples.clear()
        after = self.contents()
        self.add(number=1)
        self.assertEqual([self.difference(1, "3", "4", "1", 1)], self.recollect("--all", status=1))
        self.assertIn("has fewer samples than were collected (ip.floating: 6 of 7)", self.notes)
        self.assertIn("9 windows: 1 recollected, 1 refused, 7 unchanged", self.notes)
        mine = [row for row in self.contents()["usage_entry"] if row["tenant_id"] == self.projects[0]]
        self.assertEqual([row for row in after["usage_entry"] if row["tenant_id"] == self.projects[0]], mine)
        self.assertEqual([self.difference(0, "4", "3", "-1", 1)], self.recollect(self.projects[0], "--allow-less"))

    def test_empty_answer_is_refused(self) -> None:
        self.site.cloud.add_fault("metering", "not_a_list", project_id=self.projects[0], body="[]")
        self.addCleanup(self.site.cloud.faults.clear)
        self.assertEqual([], self.recollect(self.projects[0], status=1))
        self.assertIn("3 windows: 3 refused", self.notes)
        self.assertEqual(self.before, self.contents())

    def test_unanswered_question_ends_command(self) -> None:
        self.site.cloud.add_fault("metering", "status", status=500)
        self.addCleanup(self.site.cloud.faults.clear)
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        result = manage.run(self.site.config, "usage", "recollect", "--all", *period, "--reason", "r")
        self.assertEqual(1, result.returncode)
        self.assertIn("stopped after 0 windows", result.stderr)
        self.assertEqual(self.before, self.contents())

    def test_closed_period_is_refused(self) -> None:
        self.add()
        self.add(hour=2)
        row = {"name": "p", "start": self.site.start, "end": self.site.start + HOUR, "previous": ""}
        self.execute(sa.insert(models.periods).values(**row, closing=self.site.end, closed_by="bob"))
        self.assertEqual([self.difference(0, "2", "3", "1", 1)], self.recollect("--all", status=1))
        self.assertIn("is in period p, which is closed", self.notes)
        self.assertEqual([self.site.start + 2 * HOUR], [row.start for row in self.rows(models.receipts, revision=1)])

    def test_missing_rules_are_refused(self) -> None:
        self.add()
        self.execute(sa.delete(models.documents).filter_by(kind="rules"))
        self.assertEqual([], self.recollect("--all", status=1))
        self.assertIn("is not in the database any more", self.notes)
        self.assertIn("9 windows: 9 refused", self.notes)

    def test_damaged_documents_are_refused(self) -> None:
        self.add()
        for kind in ("rules", "names"):
            for body in ('{"', "[]", '{"mappings": []}'):
                self.restore(models.documents)
                self.execute(sa.update(models.documents).filter_by(kind=kind).values(body=body))
                self.assertEqual([], self.recollect("--all", status=1))
                self.assertIn("is not as it was stored", self.notes)
                self.assertIn("9 windows: 9 refused", self.notes)

    def test_damaged_receipt_is_told(self) -> None:
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        for meters in ('{"', "null", '{"router": [1]}'):
            self.execute(sa.update(models.receipts).values(meters=meters))
            result = manage.run(self.site.config, "usage", "recollect", "--all", *period, "--reason", "late")
            self.assertEqual((1, ""), (result.returncode, result.stdout))
            self.assertRegex(result.stderr, r"the receipt of project \w+, window .*, is not as it was stored: meters: ")

    def test_current_rules_replace_service(self) -> None:
        text = (ETC / "meter_mappings.yml").read_text()
        mappings = self.site.folder / "mappings.yml"
        mappings.write_text(text.replace(f"service: {SERVICE}", "service: other.ipv4"))
        self.site.configure(meter_mappings_file=mappings)
        self.assertEqual([], self.recollect(self.projects[0]))
        rows = self.recollect(self.projects[0], "--rules", "current")
        self.assertEqual([(SERVICE, "3", "0"), ("other.ipv4", "0", "3")], [_volumes(row) for row in rows])
        (rules,) = {row.rules for row in self.rows(models.receipts, revision=1)}
        self.assertIn("other.ipv4", self.rows(models.documents, id=rules)[0].body)

    def test_unrecorded_usage_does_not_shrink(self) -> None:
        self.execute(sa.delete(models.receipts))
        self.execute(sa.update(models.usage_entry).filter_by(service=SERVICE).values(volume=2))
        self.assertEqual([], self.recollect(self.projects[0], status=1))
        self.assertIn("it has no receipt", self.notes)
        self.assertEqual([self.difference(0, "6", "3", "-3", 3)], self.recollect(self.projects[0], "--allow-less"))

    def test_windows_of_other_service_are_refused(self) -> None:
        self.execute(sa.update(models.receipts).values(telemetry="gnocchi/RegionTwo"))
        self.assertEqual([], self.recollect("--all", status=1))
        self.assertIn("was collected from gnocchi/RegionTwo, and default collects from ceilometer/", self.notes)

    def test_period_after_last_collected_is_reported(self) -> None:
        end = (self.site.end + HOUR).isoformat()
        arguments = ("--start", self.site.start.isoformat(), "--end", end)
        self.assertEqual([], self.recollect(self.projects[0], *arguments, status=1))
        self.assertIn("later windows are left to the collector", self.notes)
        self.assertEqual([], self.recollect("--all", *arguments))
        self.assertEqual(self.before, self.contents())

    def test_invalid_command_lines_change_nothing(self) -> None:
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        for arguments, status, message in (
            (("--all", *period), 2, "--reason"),
            (("--all", *period, "--reason", " "), 1, "--reason is empty"),
            ((*period, "--reason", "r"), 2, "name projects"),
            (("--all", self.projects[0], *period, "--reason", "r"), 2, "name projects"),
            (("--all", "--reason", "r"), 2, "choose a period"),
            (("nobody", *period, "--reason", "r"), 3, "no project in the database"),
            (("--all", *period, "--reason", "r", "--collector", "x"), 3, "unknown collector"),
        ):
            with self.subTest(arguments):
                result = manage.run(self.site.config, "usage", "recollect", *arguments)
                self.assertEqual((status, ""), (result.returncode, result.stdout), result.stderr)
                self.assertIn(message, result.stderr.splitlines()[-1])


def _volumes(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["service"], row["before"], row["after"]
