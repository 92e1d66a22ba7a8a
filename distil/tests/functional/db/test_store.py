# SPDX-License-Identifier: Apache-2.0
"""The store, on every backend."""

import datetime
import json
import math
import uuid
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil import text
from distil.db import json_columns
from distil.db import models
from distil.db import store
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
WINDOW = model.Window(START, START + HOUR)


class StoreTestCase(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.store = store.Store(self.engine)
        self.project = self.new_project()

    def new_project(self, **values: Any) -> model.Project:
        return model.Project(**{"id": uuid.uuid4().hex, "name": "n", "domain_id": "d"} | values)

    def rows(self, table: sa.Table, project_id: str | None = None) -> list[Mapping[str, Any]]:
        column = table.c.id if table is models.tenants else table.c.tenant_id
        query = sa.select(table).where(column == (project_id or self.project.id)).order_by(*table.primary_key)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def info(self, project_id: str, resource_ids: Sequence[str]) -> dict[str, Any]:
        return self.store.project(project_id).resource_info(resource_ids)

    def commit(
        self,
        usage: Sequence[model.Usage] = (),
        resources: Sequence[model.Resource] = (),
        rejected: Sequence[model.RejectedSample] = (),
        hour: int = 0,
    ) -> None:
        window = model.Window(START + hour * HOUR, START + (hour + 1) * HOUR)
        self.store.project(self.project.id).commit(window, usage, resources, rejected)


class TestStoredProjectsSQLite(StoreTestCase):
    def test_new_project_stores_its_start(self) -> None:
        project = self.new_project(name="größe 🐘", description="what it is for")
        self.store.register_projects([(self.project, START), (project, START + HOUR)])
        found = self.store.last_collected([self.project.id, project.id, "unknown"])
        self.assertEqual({self.project.id: START, project.id: START + HOUR}, found)
        (row,) = self.rows(models.tenants, project.id)
        self.assertEqual(("größe 🐘", "what it is for"), (row["name"], row["info"]))
        self.assertLess(abs(row["created"] - datetime.datetime.now(datetime.UTC)), datetime.timedelta(minutes=1))

    def test_known_project_keeps_last_collected(self) -> None:
        self.store.register_projects([(self.project, START)])
        self.store.register_projects([(self.project, START + HOUR), (self.new_project(), START)])
        self.assertEqual({self.project.id: START}, self.store.last_collected([self.project.id]))

    def test_missing_last_collected_is_set(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), {"id": self.project.id, "name": "old"})
        self.assertEqual({}, self.store.last_collected([self.project.id]))
        self.store.register_projects([(self.project, START)])
        self.assertEqual({self.project.id: START}, self.store.last_collected([self.project.id]))

    def test_case_and_trailing_blank_distinguish_ids(self) -> None:
        stem = uuid.uuid4().hex
        ids = [f"{stem}{end}" for end in ("a", "A", "a ")]
        self.store.register_projects([(self.new_project(id=project_id), START) for project_id in ids])
        self.assertEqual(set(ids), set(self.store.last_collected(ids)))

    def test_registers_projects_in_batches(self) -> None:
        projects = [self.new_project() for _ in range(1203)]
        self.store.register_projects([(project, START) for project in projects])
        self.assertEqual(1203, len(self.store.last_collected([project.id for project in projects])))

    def test_long_names_are_truncated(self) -> None:
        project = self.new_project(name="🐘" * 300, description="🐘" * 100_000)
        self.store.register_projects([(project, START)])
        (row,) = self.rows(models.tenants, project.id)
        self.assertEqual(255, len(row["name"]))
        for column in ("name", "info"):
            self.assertTrue(row[column].endswith(text.COLUMN_CUT))

    def test_update_changes_only_keystone_attributes(self) -> None:
        other, unknown = self.new_project(), self.new_project()
        self.store.register_projects([(self.project, START), (other, START)])
        (before,) = self.rows(models.tenants)
        renamed = self.new_project(id=self.project.id, name="new name", description="new 🐘", domain_id="new domain")
        self.store.update_projects([renamed, other, unknown])
        new = {"name": "new name", "info": "new 🐘", "domain_id": "new domain"}
        self.assertEqual([{**before, **new}], self.rows(models.tenants))
        self.assertEqual([], self.rows(models.tenants, unknown.id))

    def test_empty_project_list_is_accepted(self) -> None:
        self.store.register_projects([])
        self.store.update_projects([])
        self.assertEqual({}, self.store.last_collected([]))


class TestWindowCommitSQLite(StoreTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.store.register_projects([(self.project, START)])

    def test_usage_is_stored_unchanged(self) -> None:
        volumes = [Decimal("0.0040000000"), Decimal("514.2857142857"), Decimal(0), Decimal("98765.0000000001")]
        usage = [model.Usage(f"s{number}", "r", "byte", volume) for number, volume in enumerate(volumes)]
        self.commit(usage, [model.Resource("r", {})])
        rows = self.rows(models.usage_entry)
        self.assertEqual(volumes, [row["volume"] for row in rows])
        expected = {"unit": "byte", "resource_id": "r", "tenant_id": self.project.id, "start": START, "end": WINDOW.end}
        self.assertLessEqual(expected.items(), rows[0].items())
        self.assertIsNotNone(rows[0]["created"])
        self.assertEqual({self.project.id: WINDOW.end}, self.store.last_collected([self.project.id]))

    def test_empty_window_advances_last_collected(self) -> None:
        self.commit()
        self.assertEqual({self.project.id: WINDOW.end}, self.store.last_collected([self.project.id]))

    def test_repeated_commit_raises_and_stores_nothing(self) -> None:
        usage, resources = [model.Usage("s", "r", "u", Decimal(1))], [model.Resource("r", {"name": "first"})]
        self.commit(usage, resources)
        rejected = [model.RejectedSample(self.project.id, "m", None, "no", {})]
        with self.assertRaises(exceptions.WindowAlreadyCommitted):
            self.commit([model.Usage("other", "r", "u", Decimal(1))], [model.Resource("r", {"name": "2nd"})], rejected)
        self.assertEqual(["s"], [row["service"] for row in self.rows(models.usage_entry)])
        self.assertEqual({"r": {"name": "first"}}, self.info(self.project.id, ["r"]))
        self.assertEqual([], self.rows(models.rejected_samples))

    def test_window_out_of_order_raises(self) -> None:
        with self.assertRaises(exceptions.WindowAlreadyCommitted):
            self.commit(hour=1)
        self.assertEqual({self.project.id: START}, self.store.last_collected([self.project.id]))

    def test_database_error_rolls_back(self) -> None:
        twice = [model.Usage("s", "r", "u", Decimal(1))] * 2
        with self.assertRaisesRegex(exceptions.StoreError, self.project.id) as caught:
            self.commit(twice, [model.Resource("r", {})])
        self.assertIsNotNone(caught.exception.__cause__)
        self.assertEqual({self.project.id: START}, self.store.last_collected([self.project.id]))
        self.assertEqual([], self.rows(models.resources) + self.rows(models.usage_entry))

    def test_unstorable_id_raises(self) -> None:
        with self.assertRaises(exceptions.StoreError):
            self.commit(resources=[model.Resource("r\ud800", {})])
        self.assertEqual({self.project.id: START}, self.store.last_collected([self.project.id]))

    def test_resource_info_is_merged(self) -> None:
        self.commit(resources=[model.Resource("r", {"name": "old", "os_distro": "debian"}), model.Resource("q", {})])
        self.commit(resources=[model.Resource("r", {"name": "new 🐘"}), model.Resource("p", {"a": 1})], hour=1)
        expected = {"r": {"name": "new 🐘", "os_distro": "debian"}, "q": {}, "p": {"a": 1}}
        self.assertEqual(expected, self.info(self.project.id, ["p", "q", "r", "unknown"]))
        self.assertIn("🐘", self.rows(models.resources)[-1]["info"])

    def test_info_merges_across_windows_despite_failure(self) -> None:
        stored = self.store.project(self.project.id)
        stored.commit(WINDOW, [], [model.Resource("r", {"name": "old", "a": 1})], [])
        second = model.Window(WINDOW.end, WINDOW.end + HOUR)
        unstorable = model.Resource("r\ud800", {})
        with self.assertRaises(exceptions.StoreError):
            stored.commit(second, [], [model.Resource("r", {"name": "never"}), unstorable], [])
        stored.commit(second, [], [model.Resource("r", {"b": 2})], [])
        self.assertEqual({"r": {"name": "old", "a": 1, "b": 2}}, stored.resource_info(["r", "unknown"]))
        self.assertEqual({"r": {"name": "old", "a": 1, "b": 2}}, self.info(self.project.id, ["r"]))

    def test_commit_after_other_collector_raises(self) -> None:
        mine, theirs = (self.store.project(self.project.id) for _ in range(2))
        mine.commit(WINDOW, [], [model.Resource("r", {"name": "mine"})], [])
        second = model.Window(WINDOW.end, WINDOW.end + HOUR)
        theirs.commit(second, [], [model.Resource("r", {"name": "theirs"})], [])
        with self.assertRaises(exceptions.WindowAlreadyCommitted):
            mine.commit(second, [], [model.Resource("r", {"name": "mine again"})], [])
        self.assertEqual({"r": {"name": "theirs"}}, mine.resource_info(["r"]))

    def test_resources_are_separate_per_project(self) -> None:
        other = self.new_project()
        self.store.register_projects([(other, START)])
        self.commit(resources=[model.Resource("r", {"name": "ours"})])
        self.store.project(other.id).commit(WINDOW, [], [model.Resource("r", {"name": "theirs"})], [])
        self.assertEqual({"r": {"name": "ours"}}, self.info(self.project.id, ["r"]))
        self.assertEqual({"r": {"name": "theirs"}}, self.info(other.id, ["r"]))

    def test_unchanged_resources_are_not_written(self) -> None:
        info = {"name": "n", "odd": math.inf, "long": "x" * json_columns.MAX_INFO}
        self.commit(resources=[model.Resource("r", info)])
        statements: list[str] = []

        def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        sa.event.listen(self.engine, "before_cursor_execute", record)
        self.addCleanup(sa.event.remove, self.engine, "before_cursor_execute", record)
        self.commit(resources=[model.Resource("r", info)], hour=1)
        self.assertTrue(any("tenants" in statement for statement in statements))
        self.assertFalse([statement for statement in statements if statement.startswith("UPDATE resources")])
        self.commit(resources=[model.Resource("r", {"name": "m"})], hour=2)
        self.assertTrue([statement for statement in statements if statement.startswith("UPDATE resources")])

    def test_invalid_info_reads_as_empty(self) -> None:
        with self.engine.begin() as connection:
            for number, info in enumerate((None, "", "[]", "{'python': 1}")):
                values = {"id": f"r{number}", "tenant_id": self.project.id, "info": info}
                connection.execute(sa.insert(models.resources), values)
        self.commit(resources=[model.Resource("r3", {"name": "n"})])
        expected = {"r0": {}, "r1": {}, "r2": {}, "r3": {"name": "n"}}
        self.assertEqual(expected, self.info(self.project.id, list(expected)))

    def test_longest_ids_are_stored_and_distinct(self) -> None:
        ids = [f"{'🐘' * 399}{end}" for end in "aA "] + ["🐘" * 399]
        usage = [model.Usage("🐘" * model.MAX_SERVICE, name, "🐘" * model.MAX_UNIT, Decimal(1)) for name in ids]
        self.commit(usage, [model.Resource(name, {"id": name}) for name in ids])
        self.assertEqual(set(ids), {row["resource_id"] for row in self.rows(models.usage_entry)})
        self.assertEqual({name: {"id": name} for name in ids}, self.info(self.project.id, ids))

    def test_largest_volume_is_stored(self) -> None:
        volume = Decimal("9" * 28 + ".9999999999") if self.BACKEND != databases.SQLITE else Decimal(10**14)
        self.commit([model.Usage("s", "r", "u", volume)], [model.Resource("r", {})])
        self.assertEqual(volume, self.rows(models.usage_entry)[0]["volume"])

    def test_rejected_samples_keep_their_reason(self) -> None:
        document = {"resource_id": "r", "volume": math.nan, "name": "größe 🐘"}
        self.commit(rejected=[model.RejectedSample(self.project.id, "m", "r", "volume is NaN", document)] * 2)
        row, _ = self.rows(models.rejected_samples)
        self.assertEqual(("m", "r", "volume is NaN"), (row["meter"], row["resource_id"], row["reason"]))
        self.assertEqual((START, WINDOW.end), (row["start"], row["end"]))
        self.assertEqual({**document, "volume": "nan"}, json.loads(row["sample"]))

    def test_malformed_rejected_sample_is_stored(self) -> None:
        malformed = "\x00\ud800🐘" * 100_000
        sample = model.RejectedSample(
            self.project.id, malformed, malformed, malformed, {malformed: malformed, "volume": -math.inf}
        )
        self.commit(rejected=[sample, model.RejectedSample(self.project.id, "m", None, "no", {})])
        row, other = self.rows(models.rejected_samples)
        self.assertTrue(all(row[column].endswith(text.COLUMN_CUT) for column in ("meter", "resource_id", "sample")))
        self.assertIsNone(other["resource_id"])


class TestStoredProjectsMySQL(TestStoredProjectsSQLite):
    BACKEND = databases.MYSQL

    def test_unstorable_project_stops_no_other(self) -> None:
        too_long = self.new_project(id="x" * 101)
        failed = self.store.register_projects([(self.project, START), (too_long, START)])
        self.assertEqual({too_long.id}, set(failed))
        self.assertIn(f"could not register project {too_long.id}: ", str(failed[too_long.id]))
        self.assertEqual({self.project.id: START}, self.store.last_collected([self.project.id]))


class TestStoredProjectsPostgreSQL(TestStoredProjectsMySQL):
    BACKEND = databases.POSTGRESQL


class TestWindowCommitMySQL(TestWindowCommitSQLite):
    BACKEND = databases.MYSQL


class TestWindowCommitPostgreSQL(TestWindowCommitSQLite):
    BACKEND = databases.POSTGRESQL
