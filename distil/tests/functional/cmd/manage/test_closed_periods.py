# SPDX-License-Identifier: Apache-2.0
"""``period close``, ``period list`` and ``period verify``, on both kinds of server."""

import datetime
import json
import threading
import unittest
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import closed_usage
from distil.db import engine as db_engine
from distil.db import models
from distil.db import periods
from distil.db.closing import PeriodClosing
from distil.db.manifest import Manifest
from distil.db.models import periods as period_table
from distil.db.models import usage_entry
from distil.db.period_verification import Result
from distil.db.period_verification import UsageVerification
from distil.db.period_verification import Verified
from distil.db.period_verification import verify_chain
from distil.db.receipts import NewReceipt
from distil.db.store import Store
from distil.digest import usage_digest
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
PERIOD = model.Window(START, START + 3 * HOUR)
NEXT = model.Window(PERIOD.end, PERIOD.end + 3 * HOUR)
SMALLEST = Decimal("1e-10")


def receipt(usage: list[model.Usage]) -> NewReceipt:
    counts = dict.fromkeys(("samples", "used", "untrusted", "duplicates", "rejected"), 0)
    contents = model.Receipt(
        **counts, entries=len(usage), meters={}, samples_digest="1:", usage_digest=usage_digest(usage)
    )
    return NewReceipt(contents, 1, 1)


class ClosedPeriodCase:
    """Two projects with three windows each, of a period that is not closed yet."""

    BACKEND: str

    def setUp(self: Any) -> None:
        self.engine = db_engine.create_engine(self.enterContext(databases.database(self.BACKEND)))
        self.addCleanup(self.engine.dispose)
        self.store = Store(self.engine)
        projects = [model.Project(project_id, f"name-{project_id}", "d") for project_id in ("p1", "p2")]
        self.store.register_projects((project, START) for project in projects)
        for project_id in ("p1", "p2"):
            for number in range(3):
                self.commit(project_id, number)

    def commit(self: Any, project_id: str, number: int) -> None:
        window = model.Window(START + number * HOUR, START + (number + 1) * HOUR)
        usage = [model.Usage(f"s{entry}", "r", "u", Decimal(number + entry)) for entry in range(2)]
        store = self.store.project(project_id)
        store.commit(window, usage, [model.Resource("r", {})], [], receipt=receipt(usage))

    def close(self: Any, name: str = "first", window: model.Window = PERIOD) -> periods.StoredPeriod:
        return PeriodClosing(self.engine, name, window, "alice@host", {}).run()

    def verify(self: Any, name: str = "first") -> list[Verified]:
        stored = periods.list_periods(self.engine)
        names = [period.name for period in stored]
        number = names.index(name)
        found = list(verify_chain(stored[: number + 1]))
        return found or list(UsageVerification(self.engine, stored[number]).run())

    def changed(self: Any, name: str = "first") -> list[str | None]:
        return [found.project_id for found in self.verify(name) if found.result is Result.CHANGED]

    def execute(self: Any, statement: sa.Executable) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)

    def row(self: Any, project_id: str = "p1", number: int = 1) -> tuple[sa.ColumnElement[bool], ...]:
        columns = usage_entry.c
        return columns.tenant_id == project_id, columns.start == START + number * HOUR, columns.service == "s1"

    def test_closed_period_verifies(self: Any) -> None:
        period = self.close()
        self.assertEqual([], self.verify())
        manifest = Manifest.parse(period.manifest)
        self.assertEqual([("p1", 3, 6), ("p2", 3, 6)], [(p.id, p.windows, p.entries) for p in manifest.projects])
        sums = {(entry.service, entry.unit): entry.volume for entry in manifest.sums}
        self.assertEqual({("s0", "u"): Decimal(6), ("s1", "u"): Decimal(12)}, sums)
        self.assertEqual(period.digest, manifest.digest)

    def test_any_change_by_hand_is_found(self: Any) -> None:
        self.close()
        columns = usage_entry.c
        added = {"service": "s9", "resource_id": "r", "unit": "u", "volume": 0, "tenant_id": "p1", "created": START}
        second = {"start": START + HOUR, "end": START + 2 * HOUR}
        for what, statement in {
            "volume": sa.update(usage_entry).where(*self.row()).values(volume=columns.volume + SMALLEST),
            "unit": sa.update(usage_entry).where(*self.row()).values(unit="v"),
            "service": sa.update(usage_entry).where(*self.row()).values(service="s8"),
            "window": sa.update(usage_entry).where(*self.row()).values(end=START + 3 * HOUR),
            "deleted": sa.delete(usage_entry).where(*self.row()),
            "all deleted": sa.delete(usage_entry).where(columns.tenant_id == "p1"),
            "added": sa.insert(usage_entry).values(added | second),
            "marked as late": sa.update(models.receipts)
            .where(models.receipts.c.tenant_id == "p1", models.receipts.c.start == START + HOUR)
            .values(closed_period="first"),
        }.items():
            with self.subTest(what), self.engine.connect() as connection, connection.begin() as change:
                connection.execute(statement)
                usage = closed_usage.read(connection, "p1", "first", PERIOD)
                change.rollback()
            manifest = Manifest.parse(periods.list_periods(self.engine)[0].manifest or "")
            with self.subTest(what):
                self.assertNotEqual(manifest.projects[0].digest, usage.digest)

    def test_changed_project_and_window_are_named(self: Any) -> None:
        self.close()
        self.execute(sa.update(usage_entry).where(*self.row("p2")).values(volume=usage_entry.c.volume + SMALLEST))
        (found,) = self.verify()
        self.assertEqual(("p2", "name-p2", Result.CHANGED), found[1:4])
        self.assertIn("[2026-01-01T01:00:00Z, 2026-01-01T02:00:00Z)", found.detail)

    def test_swapped_projects_are_both_found(self: Any) -> None:
        self.execute(sa.update(usage_entry).where(*self.row("p1")).values(volume=7))
        self.close()
        for project_id, volume in (("p1", 2), ("p2", 7)):
            self.execute(sa.update(usage_entry).where(*self.row(project_id)).values(volume=volume))
        self.assertEqual(["p1", "p2"], self.changed())

    def test_changed_manifest_or_row_is_found(self: Any) -> None:
        period = self.close()
        forged = json.dumps(json.loads(period.manifest) | {"exceptions": {"p1": "x"}}, sort_keys=True)
        for values in (
            {"manifest": forged},
            {"manifest": "nonsense"},
            {"digest": "1:0"},
            {"closed_by": "mallory"},
            {"end": PERIOD.end + HOUR},
            {"closed": None},
        ):
            with self.subTest(values):
                self.execute(sa.update(period_table).values(values))
                self.assertEqual([None], self.changed())
                original = {name: getattr(period, name) for name in ("manifest", "digest", "closed_by", "closed")}
                self.execute(sa.update(period_table).values(original | {"end": PERIOD.end}))
        self.assertEqual([], self.verify())

    def test_rewritten_or_deleted_period_breaks_the_chain(self: Any) -> None:
        period = self.close()
        self.close("second", NEXT)
        self.assertEqual([], self.verify("second"))
        forged = json.dumps(json.loads(period.manifest) | {"exceptions": {"p1": "x"}}, sort_keys=True)
        digest = Manifest.parse(forged).digest
        is_first = period_table.c.name == "first"
        self.execute(sa.update(period_table).where(is_first).values(manifest=forged, digest=digest))
        self.assertEqual([None], self.changed("second"))
        self.execute(sa.delete(period_table).where(is_first))
        self.assertEqual([None], self.changed("second"))

    def test_window_committed_after_close_is_listed(self: Any) -> None:
        self.store.register_projects([(model.Project("p3", "excepted", "d"), START + 2 * HOUR)])
        self.close()
        self.commit("p3", 2)
        (found,) = self.verify()
        self.assertEqual(("p3", Result.LATE), (found.project_id, found.result))
        self.assertIn("[2026-01-01T02:00:00Z, 2026-01-01T03:00:00Z)", found.detail)

    def test_pruned_period_is_told(self: Any) -> None:
        self.close()
        self.execute(sa.delete(usage_entry))
        self.execute(sa.delete(models.receipts))
        self.execute(sa.update(period_table).values(pruned=NEXT.end))
        self.assertEqual([Result.PRUNED] * 2, [found.result for found in self.verify()])

    def test_usage_deleted_by_hand_is_not_taken_for_pruned(self: Any) -> None:
        self.close()
        self.execute(sa.delete(usage_entry).where(usage_entry.c.tenant_id == "p1"))
        self.execute(sa.update(period_table).values(pruned=NEXT.end))
        self.assertEqual(["p1"], self.changed())

    def test_refuses_what_does_not_follow(self: Any) -> None:
        self.close()
        for name, window, reason in (
            ("first", PERIOD, "is closed since"),
            ("other", PERIOD, "overlaps period first"),
            ("gap", model.Window(NEXT.start + HOUR, NEXT.end), "has to begin then"),
            ("earlier", model.Window(START - HOUR, START), "close in order"),
        ):
            with self.subTest(name), self.assertRaisesRegex(exceptions.Refused, reason):
                self.close(name, window)
        self.assertEqual(["first"], [period.name for period in periods.list_periods(self.engine)])

    def test_interrupted_close_goes_on(self: Any) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            PeriodClosing(self.engine, "first", PERIOD, "alice@host", {}).run(interrupt)
        with self.assertRaisesRegex(exceptions.Refused, "is being closed"):
            self.close("second", NEXT)
        with self.assertRaisesRegex(exceptions.Refused, "being closed as"):
            self.close("first", model.Window(START, START + HOUR))
        self.assertEqual([None], self.changed())
        self.close()
        self.assertEqual([], self.verify())

    def test_one_of_two_closes_at_once_wins(self: Any) -> None:
        barrier = threading.Barrier(2)
        results: list[object] = []

        def run(name: str) -> None:
            barrier.wait()
            try:
                results.append(self.close(name))
            except exceptions.Refused as error:
                results.append(error)

        threads = [threading.Thread(target=run, args=(name,)) for name in ("2026-01", "january")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (period,) = periods.list_periods(self.engine)
        self.assertEqual(1, sum(isinstance(result, exceptions.Refused) for result in results), results)
        self.assertEqual([], self.verify(period.name))


class MySQLClosedPeriodTest(ClosedPeriodCase, unittest.TestCase):
    BACKEND = databases.MYSQL


class PostgreSQLClosedPeriodTest(ClosedPeriodCase, unittest.TestCase):
    BACKEND = databases.POSTGRESQL


class PeriodCommandsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(databases.MYSQL, projects=2, resources=1))
        self.site.collect()
        self.period = ("night", "--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())

    def run_command(self, *arguments: str, status: int = 0) -> str:
        done = manage.run(self.site.config, "period", *arguments)
        self.assertEqual(status, done.returncode, done.stderr)
        return done.stdout + done.stderr

    def test_unproven_period_is_not_closed(self) -> None:
        refused = self.run_command("close", *self.period, status=1)
        self.assertIn("rechecks: ", refused)
        self.assertIn("is not proven complete and was not closed: 1 finding", refused)
        self.assertEqual([], self.site.rows(sa.select(period_table)))

    def test_closed_period_is_listed_and_verified(self) -> None:
        self.run_command("close", *self.period, "--except", "rechecks=tested")
        (row,) = json.loads(self.run_command("list", "-f", "json"))
        self.assertEqual(
            ("night", "closed", 2, 1), tuple(row[key] for key in ("name", "state", "projects", "exceptions"))
        )
        self.assertIn(f"verified; digest {row['digest']}", self.run_command("verify", "night"))
        with self.site.engine.begin() as connection:
            connection.execute(sa.update(usage_entry).values(volume=usage_entry.c.volume + SMALLEST))
        self.assertIn("changed by hand", self.run_command("verify", "night", status=1))
        again = self.run_command("close", *self.period, "--except", "rechecks=tested", status=1)
        self.assertIn("period night is closed since", again)

    def test_bad_input_is_refused(self) -> None:
        self.assertIn("is not over", self.run_command("close", "2999-01", status=1))
        self.assertIn("is not a month", self.run_command("close", "night", status=2))
        self.assertIn("whose start and end are known", self.run_command("close", "2026-01", *self.period[1:], status=2))
        self.assertIn("write PROJECT=REASON", self.run_command("close", *self.period, "--except", "p=", status=2))
        self.assertIn("no period 'day' is closed", self.run_command("verify", "day", status=3))


class SQLiteClosedPeriodTest(unittest.TestCase):
    def test_close_is_refused(self) -> None:
        engine = db_engine.create_engine(self.enterContext(databases.database(databases.SQLITE)))
        self.addCleanup(engine.dispose)
        with self.assertRaisesRegex(exceptions.Refused, "SQLite rounds volumes"):
            PeriodClosing(engine, "first", PERIOD, "alice@host", {}).run()
