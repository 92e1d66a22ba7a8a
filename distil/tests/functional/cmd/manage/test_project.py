# SPDX-License-Identifier: Apache-2.0
"""``project list`` and ``project show``."""

import datetime
import json
import unittest
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.db import project_failures
from distil.tests.support import manage
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

GONE = "f" * 32
FAILURE = "telemetry was away"


class ProjectTest(unittest.TestCase):
    """A site up to two hours ago, with two collectors, a failing project and one that no longer exists in Keystone."""

    site: ClassVar[Site]
    busy: ClassVar[str]
    now: ClassVar[datetime.datetime]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site())
        cls.site.collect(cls.site.end - HOUR)
        cls.site.configure(
            sections={
                "DEFAULT": {"enabled_collectors": "all, few"},
                "collector:all": {},
                "collector:few": {"include_projects": "project-1", "collect_window": 2},
            }
        )
        cls.now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        cls.busy = cls.site.cloud.projects.enabled_ids[1]
        with cls.site.engine.begin() as connection:
            connection.execute(
                sa.insert(models.tenants), {"id": GONE, "name": "gone", "last_collected": cls.site.start}
            )
            lease = {"project_id": cls.busy, "owner": "host:1", "created": cls.now, "expires": cls.now + HOUR / 10}
            connection.execute(sa.insert(models.project_locks), lease)
        window = model.Window(cls.site.end - HOUR, cls.site.end)
        failed = [project_failures.Failure(cls.busy, "all", window, FAILURE)]
        for moment in (cls.now - HOUR, cls.now):
            project_failures.record(cls.site.engine, failed, moment)

    def rows(self, *arguments: str) -> Any:
        result = manage.run(self.site.config, "--quiet", *arguments, "-f", "json")
        self.assertEqual((0, ""), (result.returncode, result.stderr), result.stdout)
        return json.loads(result.stdout)

    def test_list_shows_project_per_collector(self) -> None:
        rows = self.rows("project", "list")
        self.assertEqual(4, len([row for row in rows if row["collector"] == "all"]))
        (few,) = (row for row in rows if row["collector"] == "few")
        (same,) = (row for row in rows if row["id"] == self.busy and row["collector"] == "all")
        self.assertEqual((self.busy, "project-1", "host:1"), (few["id"], few["name"], few["lease_owner"]))
        self.assertEqual(same["due"] // 2, few["due"])
        self.assertEqual(f"{self.site.end - HOUR:%Y-%m-%dT%H:%M:%SZ}", few["last_collected"])
        self.assertGreaterEqual(few["lag_hours"], 2)

    def test_table_fits_80_columns(self) -> None:
        result = manage.run(self.site.config, "project", "list", "--all")
        lines = result.stdout.splitlines()
        self.assertLessEqual(max(map(len, lines)), 80, result.stdout)
        self.assertEqual(["id", "name", "last_collected", "lag_hours", "due", "state"], lines[1].split()[1::2])
        self.assertIn(f"| {self.busy[:8]} | project-1 | {self.site.end - HOUR:%Y-%m-%dT%H:%MZ} |", result.stdout)
        self.assertIn("telemetry ", result.stdout)

    def test_wide_table_shows_whole_failure(self) -> None:
        long_id = "0123456789abcdef" * 2
        reason = f"metering POST https://cloud.example.org/v2/query/samples (project {long_id}): HTTP 503: outage"
        self.addCleanup(self.fail_with, FAILURE)
        self.fail_with(reason)
        shown = manage.run(self.site.config, "project", "list", COLUMNS="160")
        short = "metering POST https://cloud.example.org (project 01234567): HTTP 503: outage"
        self.assertIn(f"| {short} ", shown.stdout)
        narrow = manage.run(self.site.config, "project", "list", "--max-width", "80", COLUMNS="160")
        self.assertLessEqual(max(map(len, narrow.stdout.splitlines())), 80, narrow.stdout)

    def fail_with(self, reason: str) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.update(models.project_failures).values(reason=reason))

    def test_missing_values_are_blank(self) -> None:
        for arguments in (("list", "--long", "--all"), ("show", "gone"), ("list", "--all")):
            shown = manage.run(self.site.config, "project", *arguments)
            self.assertEqual(0, shown.returncode, shown.stderr)
            self.assertNotIn("None", shown.stdout)

    def test_long_option_shows_every_column(self) -> None:
        result = manage.run(self.site.config, "project", "list", "--long", "--failing")
        for text in (self.busy, "telemetry was away", "lease_owner", "host:1", "few"):
            self.assertIn(text, result.stdout)

    def test_limit_follows_sort(self) -> None:
        ids = sorted(self.site.cloud.projects.enabled_ids, reverse=True)
        order = ("--collector", "all", "--sort-column", "id", "--sort-descending")
        self.assertEqual(ids[:2], [row["id"] for row in self.rows("project", "list", "--limit", "2", *order)])

    def test_shortened_id_names_project(self) -> None:
        self.assertEqual(self.busy, self.rows("project", "show", self.busy[:8])["id"])
        short = manage.run(self.site.config, "project", "show", self.busy[:7])
        self.assertEqual(3, short.returncode)
        self.assertIn(f"name {self.busy[:7]!r} (or at least the first 8 characters of an ID)", short.stderr)

    def test_all_option_lists_unscoped_projects(self) -> None:
        rows = {row["id"]: row for row in self.rows("project", "list", "--all")}
        self.assertEqual(("gone", None, None), tuple(rows[GONE][key] for key in ("name", "collector", "due")))

    def test_departed_option_lists_departed_projects(self) -> None:
        left, done, missing = (f"{number}" * 32 for number in range(3))
        common = {"domain_id": "d", "last_collected": self.site.start, "departed": self.site.end}
        rows: list[dict[str, Any]] = [
            {"id": left, "name": "left", "in_scope_of": "few", "collect_until": self.site.start + 5 * HOUR},
            {"id": done, "name": "done", "in_scope_of": None, "collect_until": self.site.start},
            {"id": missing, "name": "missing", "in_scope_of": "all", "collect_until": None},
        ]
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), [row | common for row in rows])
        self.addCleanup(self.forget, [left, done, missing])
        listed = {row["id"]: row for row in self.rows("project", "list", "--departed")}
        self.assertEqual({left, missing}, listed.keys())
        shown = tuple(listed[left][key] for key in ("name", "domain_id", "collector", "due", "departed"))
        self.assertEqual(("left", "d", "few", 2, f"{self.site.end:%Y-%m-%dT%H:%M:%SZ}"), shown)
        self.assertEqual(f"{self.site.start + 5 * HOUR:%Y-%m-%dT%H:%M:%SZ}", listed[left]["collect_until"])
        self.assertIsNone(listed[missing]["collect_until"])
        self.assertEqual(
            {left, missing, done}, {row["id"] for row in self.rows("project", "list", "--departed", "--all")}
        )
        self.assertEqual(
            [left], [row["id"] for row in self.rows("project", "list", "--departed", "--collector", "few")]
        )
        self.assertLessEqual({left, missing}, {row["id"] for row in self.rows("project", "list")})
        self.assertNotIn(done, {row["id"] for row in self.rows("project", "list")})
        shown = self.rows("project", "show", "left")
        self.assertEqual(("few", listed[left]["departed"]), (shown["collector"], shown["departed"]))

    def test_departure_is_marked(self) -> None:
        until = self.site.start + 5 * HOUR
        row: dict[str, Any] = {"id": "9" * 32, "name": "left", "in_scope_of": "few", "last_collected": self.site.start}
        with self.site.engine.begin() as connection:
            values = {**row, "departed": self.site.end, "collect_until": until}
            connection.execute(sa.insert(models.tenants), [values])
        self.addCleanup(self.forget, [row["id"]])
        shown = manage.run(self.site.config, "project", "list", COLUMNS="100").stdout
        self.assertRegex(shown, rf"99999999 \| left .*\| departed, until {until:%H:%MZ} ")
        self.assertEqual(
            f"left Keystone; collected until {until:%Y-%m-%dT%H:%M:%SZ}",
            self.rows("project", "show", "left")["departure"],
        )

    def test_project_that_just_left_is_shown(self) -> None:
        row: dict[str, Any] = {"id": "9" * 32, "name": "left", "in_scope_of": "few", "last_collected": self.site.start}
        with self.site.engine.begin() as connection:
            connection.execute(sa.insert(models.tenants), [row])
        self.addCleanup(self.forget, [row["id"]])
        expected = ("few", None, "left Keystone; the next run of few collects its last usage")
        for arguments in (("list",), ("list", "--departed"), ("list", "--behind")):
            listed = {found["id"]: found for found in self.rows("project", *arguments)}
            self.assertIn(row["id"], listed, arguments)
            found = listed[row["id"]]
            self.assertEqual(expected, (found["collector"], found["departed"], found["departure"]))
        shown = self.rows("project", "show", "left")
        self.assertEqual(expected, (shown["collector"], shown["departed"], shown["departure"]))

    def test_domain_name_is_shown(self) -> None:
        names = {domain["id"]: domain["name"] for domain in self.site.cloud.projects.domains}
        for row in self.rows("project", "list"):
            self.assertEqual(names[row["domain_id"]], row["domain"])
        self.assertTrue(self.rows("project", "show", "project-1")["domain"])
        self.assertIsNone(self.rows("project", "list", "--no-keystone")[0]["domain"])
        self.site.cloud.add_fault("identity", "status", path="domains", status=403)
        self.addCleanup(self.site.cloud.faults.clear)
        self.assertEqual({None}, {row["domain"] for row in self.rows("project", "list")})

    def test_departed_option_works_without_keystone(self) -> None:
        self.site.cloud.add_fault("identity", "status")
        self.addCleanup(self.site.cloud.faults.clear)
        result = manage.run(self.site.config, "project", "list", "--departed")
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn("Keystone does not answer", result.stderr)

    def test_unmatched_scope_entry_is_warned_of(self) -> None:
        configuration = self.site.config.read_text()
        self.addCleanup(self.site.config.write_text, configuration)
        self.site.config.write_text(
            configuration.replace("project-1", "project-1, nope\ninclude_domains = Default, gone")
        )
        stderr = manage.run(self.site.config, "project", "list").stderr
        self.assertIn("[collector:few] 'nope' of include_projects matches no enabled project name or ID", stderr)
        self.assertIn("[collector:few] domain 'gone' of include_domains does not exist in Keystone", stderr)

    def forget(self, project_ids: list[str]) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.delete(models.tenants).where(models.tenants.c.id.in_(project_ids)))

    def test_failing_option_shows_reason(self) -> None:
        (row,) = self.rows("project", "list", "--failing", "--collector", "all")
        self.assertEqual((self.busy, "telemetry was away"), (row["id"], row["failure"]))
        self.assertEqual(f"{self.now - HOUR:%Y-%m-%dT%H:%M:%SZ}", row["failing_since"])
        self.assertEqual(f"{self.now:%Y-%m-%dT%H:%M:%SZ}", row["last_failed"])

    def test_behind_option_filters_by_lag(self) -> None:
        self.assertEqual(4, len(self.rows("project", "list", "--behind", "2", "--collector", "all")))
        self.assertEqual([], self.rows("project", "list", "--behind", "20"))

    def test_no_keystone_option_lists_stored_projects(self) -> None:
        self.site.cloud.add_fault("identity", "status")
        self.addCleanup(self.site.cloud.faults.clear)
        self.assertEqual(5, len(self.rows("project", "list", "--no-keystone")))
        self.assertEqual(1, manage.run(self.site.config, "project", "list").returncode)

    def test_unknown_collector_exits_with_3(self) -> None:
        self.assertEqual(3, manage.run(self.site.config, "project", "list", "--collector", "nope").returncode)

    def test_show_finds_project_by_name(self) -> None:
        shown = self.rows("project", "show", "project-1")
        usage = self.site.usage(tenant_id=self.busy)
        self.assertEqual((self.busy, "all, few"), (shown["id"], shown["collector"]))
        self.assertEqual((len(usage), 0), (shown["usage_entries"], shown["rejected_samples"]))
        self.assertEqual(len({entry.resource_id for entry in usage}), shown["resources"])
        self.assertEqual(f"{self.site.end - HOUR:%Y-%m-%dT%H:%M:%SZ}", shown["last_usage"])

    def test_list_without_keystone_names_option(self) -> None:
        self.site.cloud.add_fault("identity", "status")
        self.addCleanup(self.site.cloud.faults.clear)
        result = manage.run(self.site.config, "project", "list")
        self.assertEqual(1, result.returncode)
        self.assertRegex(result.stderr, "HTTP 50.*; --no-keystone shows what the database has\n$")

    def test_show_uses_database_without_keystone(self) -> None:
        self.site.cloud.add_fault("identity", "status")
        self.addCleanup(self.site.cloud.faults.clear)
        result = manage.run(self.site.config, "project", "show", "gone", "-f", "json")
        self.assertEqual((0, GONE), (result.returncode, json.loads(result.stdout)["id"]), result.stderr)
        self.assertIn("Keystone does not answer", result.stderr)

    def test_domain_of_usage_may_be_name(self) -> None:
        domain = self.site.cloud.projects.domains[0]
        by_id = self.rows("usage", "list", "--domain", domain["id"])
        self.assertTrue(by_id)
        self.assertEqual(by_id, self.rows("usage", "list", "--domain", domain["name"]))
        result = manage.run(self.site.config, "usage", "list", "--domain", "nope")
        self.assertEqual(
            (3, "distil-manage: no domain has the ID or name 'nope'\n"), (result.returncode, result.stderr)
        )

    def test_unknown_project_exits_with_3(self) -> None:
        self.assertEqual(3, manage.run(self.site.config, "project", "show", "nope").returncode)


class InvalidOptionsTest(manage.ManageTestCase):
    def test_every_invalid_value_is_named(self) -> None:
        with self.config.open("a") as file:
            file.write("[collector]\nconcurrency = 999\nworkers = many\n")
        for arguments in (("project", "list", "--no-keystone"), ("project", "list"), ("rejected", "retry", "--all")):
            with self.subTest(arguments=arguments):
                result = manage.run(self.config, *arguments)
                self.assertEqual((1, ""), (result.returncode, result.stdout))
                prefix = f"distil-manage: {self.config}: [collector]"
                workers, concurrency = result.stderr.splitlines()
                self.assertEqual(f"{prefix} workers = many: must be a whole number, at least 1", workers)
                self.assertIn(f"{prefix} concurrency = 999: must be a whole number", concurrency)

    def test_other_commands_do_not_depend_on_them(self) -> None:
        with self.config.open("a") as file:
            file.write("[collector]\nconcurrency = 999\n")
        self.assertEqual([], self.rows("lease", "list"))
        self.assertEqual([], self.rows("usage", "list"))
