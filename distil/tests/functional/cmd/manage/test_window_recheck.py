# SPDX-License-Identifier: Apache-2.0
"""``window recheck``."""

import datetime
import json
import unittest
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.sandbox.data import ids
from distil.sandbox.data.meters import METERS
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support import secrets
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

_MINUTE = datetime.timedelta(minutes=1)


class WindowRecheckTest(unittest.TestCase):
    """A site whose usage is collected."""

    BACKEND = databases.SQLITE

    site: ClassVar[Site]
    projects: ClassVar[Sequence[str]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site(cls.BACKEND, projects=4))
        cls.site.collect()
        cls.projects = cls.site.cloud.projects.enabled_ids

    def setUp(self) -> None:
        self.addCleanup(self.site.cloud.injected_samples.clear)
        self.addCleanup(self.delete, models.late_windows, models.rechecks)

    def delete(self, *tables: sa.Table) -> None:
        with self.site.engine.begin() as connection:
            for table in tables:
                connection.execute(sa.delete(table))

    def insert(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(table), rows)

    def update(self, table: sa.Table, row: dict[str, Any]) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.update(table).where(table.c.id == row["id"]).values(row))

    def recheck(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """Return the differences that the command shows."""
        period = () if "--start" in arguments else ("--start", self.site.start.isoformat())
        result = manage.run(self.site.config, "window", "recheck", *period, *arguments, "-f", "json")
        self.assertEqual(status, result.returncode, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.notes = result.stderr
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows

    def refused(self, *arguments: str, status: int = 1) -> str:
        result = manage.run(self.site.config, "window", "recheck", *arguments)
        self.assertEqual((status, ""), (result.returncode, result.stdout), result.stderr)
        return result.stderr.splitlines()[-1]

    def add(self, project_id: str, meter: str, hour: int = 0, **values: Any) -> None:
        """Have a sample come late."""
        moment = self.site.start + hour * HOUR + 25 * _MINUTE
        timestamp = moment.replace(tzinfo=None).isoformat()
        self.site.cloud.add_samples(
            project_id, meter, [self.site.sample(project_id, meter, timestamp=timestamp, **values)]
        )

    def stored(self) -> set[tuple[str, int, int]]:
        """The late windows that are stored: project, hour and number of samples."""
        table = models.late_windows.c
        rows = self.site.rows(sa.select(table.tenant_id, table.start, table.end, table.samples))
        self.assertEqual({HOUR}, {end - start for _, start, end, _ in rows} or {HOUR})
        return {(project_id, (start - self.site.start) // HOUR, samples) for project_id, start, _, samples in rows}

    def difference(self, project_id: str, hour: int, meter: str | None, *rest: object) -> dict[str, Any]:
        start = self.site.start + hour * HOUR
        times = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, start + HOUR)]
        names = ("project_id", "start", "end", "meter", "collected", "held", "change")
        return dict(zip(names, (project_id, *times, meter, *rest), strict=True))

    def test_equal_windows_are_not_late(self) -> None:
        for arguments in ((), ("--digest",)):
            self.assertEqual([], self.recheck(*arguments))
            self.assertEqual(set(), self.stored())
            self.assertIn("15 windows compared, 0 late", self.notes)

    def test_one_late_sample_is_found(self) -> None:
        self.add(self.projects[2], "instance", hour=1)
        expected = [self.difference(self.projects[2], 1, "instance", 12, 13, "more")]
        for arguments in ((), ("--digest",), ("--project", self.projects[2])):
            with self.subTest(arguments):
                self.assertEqual(expected, self.recheck(*arguments, status=1))
                self.assertEqual({(self.projects[2], 1, 229)}, self.stored())
        self.assertEqual([], self.recheck("--project", self.projects[1]))
        self.assertEqual([], self.recheck("--start", (self.site.start + 2 * HOUR).isoformat()))

    def test_fewer_samples_are_found(self) -> None:
        self.site.cloud.add_samples(self.projects[0], "router", [], replace=True)
        self.assertEqual(
            [self.difference(self.projects[0], hour, "router", 12, 0, "fewer") for hour in range(3)],
            self.recheck(status=1),
        )
        self.assertEqual({(self.projects[0], hour, 216) for hour in range(3)}, self.stored())

    def test_late_sample_without_mapping_is_not_found(self) -> None:
        self.add(self.projects[0], "no.such.meter")
        for arguments in ((), ("--digest",)):
            self.assertEqual([], self.recheck(*arguments))

    def test_other_samples_are_found_by_digest(self) -> None:
        samples = self.site.samples(self.projects[3], "network")
        other = [samples[0] | {"volume": 7}, *samples[1:]]
        self.site.cloud.add_samples(self.projects[3], "network", other, replace=True)
        self.assertEqual([], self.recheck())
        hour = (datetime.datetime.fromisoformat(samples[0]["timestamp"]) - self.site.start.replace(tzinfo=None)) // HOUR
        expected = [self.difference(self.projects[3], hour, None, 228, 228, "other")]
        self.assertEqual(expected, self.recheck("--digest", status=1))

    def test_project_that_no_run_saw_is_found(self) -> None:
        stranger = 32 * "e"
        self.add(stranger, "router", hour=1)
        self.add(stranger, "router", hour=5)
        expected = [self.difference(stranger, 1, "router", 0, 1, "never collected")]
        self.assertEqual(expected, self.recheck(status=1))
        self.assertEqual({(stranger, 1, 1)}, self.stored())

    def test_projects_out_of_scope_are_not_found(self) -> None:
        stranger = 32 * "d"
        self.add(stranger, "router")
        self.addCleanup(self.site.configure)
        scopes: tuple[dict[str, object], ...] = (
            {"ignore_projects": stranger},
            {"include_projects": "project-1"},
            {"include_domains": "Default"},
        )
        for options in scopes:
            self.site.configure(**options)  # type: ignore[arg-type]
            self.assertEqual([], self.recheck())
        self.site.configure()
        state = {"tenant_id": stranger, "since": self.site.start, "state": "out_of_scope", "collector": "default"}
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(models.project_states), state)
        self.addCleanup(self.delete, models.project_states)
        self.assertEqual([], self.recheck())

    def test_samples_after_departure_are_found(self) -> None:
        project_id, last = self.projects[3], self.site.start + HOUR
        table, receipts = models.tenants, models.receipts
        with self.site.engine.begin() as connection:
            kept = [dict(row) for row in connection.execute(sa.select(receipts)).mappings()]
            state = dict(connection.execute(sa.select(table).where(table.c.id == project_id)).mappings().one())
            departed = {"departed": last, "collect_until": last, "last_collected": last, "in_scope_of": None}
            connection.execute(sa.update(table).where(table.c.id == project_id).values(departed))
            of_project = receipts.c.tenant_id == project_id
            connection.execute(sa.delete(receipts).where(of_project, receipts.c.start >= last))
        self.addCleanup(self.insert, receipts, kept)
        self.addCleanup(self.delete, receipts)
        self.addCleanup(self.update, table, state)
        rows = self.recheck(status=1)
        self.assertEqual({(project_id, "never collected")}, {(row["project_id"], row["change"]) for row in rows})
        self.assertEqual({(project_id, 1, 228), (project_id, 2, 228)}, self.stored())

    def test_windows_without_receipt_are_told(self) -> None:
        receipts = models.receipts
        with self.site.engine.begin() as connection:
            kept = [dict(row) for row in connection.execute(sa.select(receipts)).mappings()]
            connection.execute(sa.delete(receipts).where(receipts.c.tenant_id == self.projects[1]))
        self.addCleanup(self.insert, receipts, kept)
        self.addCleanup(self.delete, receipts)
        self.assertEqual([], self.recheck())
        self.assertIn("3 windows with samples not compared: stored without a receipt", self.notes)
        self.delete(receipts)
        start = self.site.start.isoformat()
        self.assertIn("no window that was collected from", self.refused("--start", start, status=3))

    def test_windows_of_other_telemetry_are_told(self) -> None:
        receipts = models.receipts
        mine = receipts.c.tenant_id == self.projects[1]
        for telemetry in ("ceilometer/other", "ceilometer/RegionOne"):
            with self.site.engine.begin() as connection:
                connection.execute(sa.update(receipts).where(mine).values(telemetry=telemetry))
            self.recheck()
            self.assertEqual(telemetry == "ceilometer/other", "3 windows not compared: collected from" in self.notes)

    def test_window_that_nothing_is_held_of_is_not_late(self) -> None:
        cloud = self.site.cloud
        for number in cloud.projects.metered_numbers:
            project_id = ids.project_id(0, number)
            for meter in METERS:
                kept = list(cloud.samples(project_id, meter, self.site.start + HOUR, self.site.end))
                cloud.add_samples(project_id, meter, kept, replace=True)
        for arguments in ((), ("--digest",)):
            self.assertEqual([], self.recheck(*arguments, status=1))
            self.assertIn("4 windows not compared: the telemetry service holds no samples of them any more", self.notes)
            self.assertEqual(set(), self.stored())
        self.assertEqual([], self.site.rows(sa.select(models.rechecks.c.id)))

    def test_window_that_is_equal_again_is_deleted(self) -> None:
        self.add(self.projects[0], "router")
        self.add(32 * "e", "router")
        self.recheck(status=1)
        self.site.cloud.injected_samples.clear()
        self.assertEqual([], self.recheck())
        self.assertEqual(set(), self.stored())

    def test_one_row_is_stored_of_the_period(self) -> None:
        self.add(self.projects[0], "router")
        self.recheck(status=1)
        self.recheck("--digest", "--end", (self.site.start + HOUR).isoformat(), status=1)
        self.recheck("--project", self.projects[0], status=1)
        table = models.rechecks.c
        rows = self.site.rows(
            sa.select(table.start, table.end, table.telemetry, table.method, table.windows, table.late)
        )
        start, end, telemetry = self.site.start, self.site.end, "ceilometer/RegionOne"
        expected = [(start, end, telemetry, "counts", 15, 1), (start, start + HOUR, telemetry, "digests", 5, 1)]
        self.assertEqual(expected, list(map(tuple, rows)))

    def test_day_takes_a_request_for_each_meter(self) -> None:
        for start in (self.site.start.isoformat(), "0001-01-01"):  # nothing is asked of the time before usage
            self.site.cloud.requests.clear()
            self.recheck("--start", start)
            self.assertEqual(19, self.site.cloud.requests.total("metering"))

    def test_bad_command_line_is_refused(self) -> None:
        before = self.refused("--start", "0001-01-01", "--end", "0002-01-01", status=3)
        self.assertIn("nothing is collected before", before)
        self.assertIn("choose a period with --start or --month", self.refused(status=2))
        start = self.site.start.isoformat()
        self.assertIn("no project in the database", self.refused("--start", start, "--project", "nobody", status=3))
        self.assertIn("nothing is collected yet after", self.refused("--start", self.site.end.isoformat(), status=3))
        self.assertIn("unknown collector", self.refused("--start", start, "--collector", "x", status=3))


class OddWindowTest(unittest.TestCase):
    """Windows of two hours, those of one project at seventeen minutes past."""

    def test_each_window_is_compared_by_its_own_bounds(self) -> None:
        site = self.enterContext(Site(projects=3))
        odd, even, _ = site.cloud.projects.enabled_ids
        tenants = models.tenants
        site.collect(site.start)
        with site.engine.begin() as connection:
            moved = {"last_collected": site.start + 17 * _MINUTE}
            connection.execute(sa.update(tenants).where(tenants.c.id == odd).values(moved))
        site.configure(collect_window=2)
        site.collect()
        for arguments in ((), ("--digest",)):
            self.assertEqual([], self.recheck(site, *arguments))
        # Before the odd window, in both, and after both.
        for minute in (10, 125, 140):
            timestamp = (site.start + minute * _MINUTE).replace(tzinfo=None).isoformat()
            for project_id in (odd, even):
                sample = site.sample(project_id, "router", timestamp=timestamp)
                site.cloud.add_samples(project_id, "router", [sample])
        for arguments in ((), ("--digest",)):
            rows = {row["project_id"]: row for row in self.recheck(site, *arguments)}
            self.assertEqual({odd, even}, rows.keys())
            self.assertEqual((f"{site.start + 17 * _MINUTE:%Y-%m-%dT%H:%M:%SZ}", 24, 25), self.brief(rows[odd]))
            self.assertEqual((f"{site.start:%Y-%m-%dT%H:%M:%SZ}", 24, 25), self.brief(rows[even]))

    def brief(self, row: dict[str, Any]) -> tuple[object, ...]:
        return row["start"], row["collected"], row["held"]

    def recheck(self, site: Site, *arguments: str) -> list[dict[str, Any]]:
        start = ("--start", site.start.isoformat())
        result = manage.run(site.config, "window", "recheck", *start, *arguments, "-f", "json")
        self.assertNotIn("Traceback", result.stderr)
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows


class WindowRecheckMySQLTest(WindowRecheckTest):
    BACKEND = databases.MYSQL

    def test_user_without_delete_is_told(self) -> None:
        self.add(self.projects[0], "router")
        self.recheck(status=1)
        self.site.cloud.injected_samples.clear()
        own = self.site.url
        self.addCleanup(self.site.configure)
        self.addCleanup(setattr, self.site, "url", own)
        with secrets.mariadb_user(own, "sekret", ["Delete"]) as url:
            self.site.url = url
            self.site.configure()
            self.assertEqual([], self.recheck())
            self.assertIn("windows that are not late any more stay listed", self.notes)
        self.assertEqual({(self.projects[0], 0, 229)}, self.stored())


class WindowRecheckPostgreSQLTest(WindowRecheckTest):
    BACKEND = databases.POSTGRESQL
