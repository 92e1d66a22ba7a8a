# SPDX-License-Identifier: Apache-2.0
"""``usage list`` and ``usage summary``."""

import collections
import csv
import datetime
import io
import json
import zoneinfo
from decimal import Decimal

import hypothesis
import sqlalchemy as sa
from hypothesis import strategies as st

from distil.db import models
from distil.db import usage_entries
from distil.tests.support import databases
from distil.tests.support import manage

AUCKLAND = zoneinfo.ZoneInfo("Pacific/Auckland")
HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 31, 22, tzinfo=datetime.UTC)

PROJECTS = ("p1", "P1", "p2")
DOMAINS = {"p1": "d1", "P1": "d1", "p2": None}
RESOURCES = ("r1", "r2")
SERVICES = ("c1.small", "c1.Small", "b1")
UNITS = ("gigabyte", "Gigabyte", "hour")

# What each database keeps exactly: SQLite knows 15 digits.
VOLUMES = st.integers(0, 10**9).map(lambda number: Decimal(number).scaleb(-3))
WINDOWS = st.integers(0, 5).map(lambda hour: START + hour * HOUR)
FORMATS = {"hour": "%Y-%m-%dT%H:00:00", "day": "%Y-%m-%d", "month": "%Y-%m"}


def usage(
    project: str, service: str, resource: str, unit: str, volume: Decimal, start: datetime.datetime
) -> usage_entries.UsageEntry:
    return usage_entries.UsageEntry(
        project, f"name of {project}", DOMAINS[project], service, resource, unit, volume, start, start + HOUR
    )


@st.composite
def entries(draw: st.DrawFn) -> list[usage_entries.UsageEntry]:
    keys = st.tuples(st.sampled_from(PROJECTS), st.sampled_from(SERVICES), st.sampled_from(RESOURCES), WINDOWS)
    drawn = draw(st.sets(keys, max_size=20))
    return [
        usage(project, service, resource, draw(st.sampled_from(UNITS)), draw(VOLUMES), start)
        for project, service, resource, start in sorted(drawn)
    ]


def entry(
    project: str, volume: str = "1", hour: int = 0, service: str = "b1", resource: str = "r1"
) -> usage_entries.UsageEntry:
    return usage(project, service, resource, "hour", Decimal(volume), START + hour * HOUR)


def value(entry: usage_entries.UsageEntry, column: str, zone: datetime.tzinfo) -> object:
    if column not in FORMATS:
        return getattr(entry, column)
    local = entry.start.astimezone(zone)
    offset = "Z" if zone is datetime.UTC else local.isoformat()[-6:]
    return local.strftime(FORMATS[column]) + (offset if column == "hour" else "")


class UsageTest(manage.ManageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.insert(
            models.tenants,
            *(
                {
                    "id": project,
                    "name": f"name of {project}",
                    "domain_id": DOMAINS[project],
                    "last_collected": START + 6 * HOUR,
                }
                for project in PROJECTS
            ),
        )
        self.insert(
            models.resources,
            *({"id": resource, "tenant_id": project} for project in PROJECTS for resource in RESOURCES),
        )

    def store(self, *stored: usage_entries.UsageEntry) -> None:
        self.empty(models.usage_entry)
        rows = [entry._asdict() for entry in stored]
        for row in rows:
            row["tenant_id"] = row.pop("project_id")
            del row["project"], row["domain_id"]
        self.insert(models.usage_entry, *rows)

    @hypothesis.given(
        stored=entries(),
        by=st.lists(st.sampled_from(usage_entries.GROUPS), unique=True),
        zone=st.sampled_from([datetime.UTC, AUCKLAND, zoneinfo.ZoneInfo("Asia/Kolkata")]),
    )
    def test_summary_equals_sum_of_list(
        self, stored: list[usage_entries.UsageEntry], by: list[str], zone: datetime.tzinfo
    ) -> None:
        self.store(*stored)
        by = by if "unit" in by else [*by, "unit"]
        listed = list(usage_entries.entries(self.engine, usage_entries.UsageFilter()))
        self.assertCountEqual(stored, listed)
        columns = usage_entries.total_columns(by)[:-2]
        sums: dict[tuple[object, ...], tuple[Decimal, int]] = collections.defaultdict(lambda: (Decimal(0), 0))
        for entry in listed:
            group = tuple(value(entry, column, zone) for column in columns)
            sums[group] = sums[group][0] + (entry.volume or 0), sums[group][1] + 1
        totals = usage_entries.totals(self.engine, usage_entries.UsageFilter(), by, zone=zone)
        self.assertEqual(sums, {tuple(group): (volume, count) for *group, volume, count in totals})

    def test_local_days_have_their_hours(self) -> None:
        """Clocks in Auckland go forward on 27 September 2026, and back on 5 April."""
        start = datetime.datetime(2026, 4, 4, 11, tzinfo=datetime.UTC)
        self.store(*(entry("p1", hour=(start - START) // HOUR + hour) for hour in range(50)))
        for month, hours in (("2026-04", 25), ("2026-09", 23)):
            first = datetime.datetime.fromisoformat(f"{month}-05" if hours == 25 else f"{month}-27")
            first = first.replace(tzinfo=AUCKLAND).astimezone(datetime.UTC)
            self.store(*(entry("p1", hour=(first - START) // HOUR + hour) for hour in range(-5, 40)))
            rows = self.rows("usage", "summary", "--time-zone", "Pacific/Auckland", "--group-by", "day")
            self.assertEqual([5, hours, 45 - 5 - hours], [row["entries"] for row in rows])
            by_hour = self.rows("usage", "summary", "--time-zone", "Pacific/Auckland", "--group-by", "hour")
            self.assertEqual(45, len(by_hour))

    def test_month_has_hours_of_zone(self) -> None:
        for month, hours in (("2025-09", 719), ("2025-10", 744), ("2025-04", 721)):
            first = datetime.datetime.fromisoformat(f"{month}-01").replace(tzinfo=AUCKLAND).astimezone(datetime.UTC)
            self.store(*(entry("p1", hour=(first - START) // HOUR + hour) for hour in range(-30, 780)))
            self.last_collected(first + 800 * HOUR)
            (row,) = self.rows("usage", "summary", "--month", month, "--time-zone", "Pacific/Auckland")
            self.assertEqual((hours, str(hours)), (row["entries"], row["volume"]))

    def last_collected(self, time: datetime.datetime | None, **where: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).filter_by(**where).values(last_collected=time))

    def test_rows_show_project_and_domain(self) -> None:
        self.store(*(entry(project) for project in PROJECTS))
        for command in ("list", "summary"):
            rows = self.rows("usage", command)
            expected = [(project, f"name of {project}", DOMAINS[project]) for project in sorted(PROJECTS)]
            self.assertEqual(expected, [(row["project_id"], row["project"], row["domain_id"]) for row in rows])

    def test_domain_selects_and_groups(self) -> None:
        self.store(*(entry(project) for project in PROJECTS))
        rows = self.rows("usage", "summary", "--group-by", "domain")
        self.assertCountEqual([("d1", "2"), (None, "1")], [(row["domain_id"], row["volume"]) for row in rows])
        (row,) = self.rows("usage", "summary", "--group-by", "unit", "--domain", "d1")
        self.assertEqual(2, row["entries"])

    def test_limit_follows_sort(self) -> None:
        self.store(*(entry("p1", volume, hour) for hour, volume in enumerate(("10", "9", "1000", "2.5"))))
        for command in (("list",), ("summary", "--group-by", "hour")):
            options = ("--sort-column", "volume", "--sort-descending", "--limit", "2")
            self.assertEqual(["1000", "10"], [row["volume"] for row in self.rows("usage", *command, *options)])

    def test_every_column_can_be_sorted_by(self) -> None:
        self.store(*(entry(project, "1.5") for project in PROJECTS))
        for command in (("list",), ("summary", "--group-by", ",".join(usage_entries.GROUPS))):
            for column in self.rows("usage", *command)[0]:
                rows = self.rows("usage", *command, "--sort-column", column, "--sort-column", "project_id")
                self.assertEqual(3, len(rows))
                if column == "domain_id":
                    self.assertEqual(["d1", "d1", None], [row[column] for row in rows])

    def test_complete_period_is_noted(self) -> None:
        self.store(*(entry("p1", hour=hour) for hour in range(4)))
        period = ("--start", "2026-01-31T22:00", "--end", "2026-02-01T02:00")
        notes = self.notes("usage", "list", "--project", "p1", "--project", "p2", *period, "-f", "csv")
        self.assertEqual(
            "distil-manage: Usage of 2 projects is stored from 2026-01-31T22:00:00Z to 2026-02-01T04:00:00Z\n"
            "distil-manage: Windows: 4 unrecorded\n",
            notes,
        )

    def test_windows_of_project_are_counted_without_period(self) -> None:
        self.store(entry("p1"))
        last = "2026-02-01T04:00:00Z"
        for project, stored, windows in (
            ("p1", f"Usage of 1 project is stored from 2026-01-31T22:00:00Z to {last}", "6 unrecorded"),
            ("p2", "No usage of 1 project is stored", "none"),
        ):
            notes = self.notes("usage", "list", "--project", project, "-f", "csv").splitlines()
            expected = [f"distil-manage: {stored}", f"distil-manage: Windows: {windows}"]
            self.assertEqual(expected, [notes[0], notes[-1]])

    def test_all_windows_are_not_counted(self) -> None:
        self.assertNotIn("Windows", self.notes("usage", "list"))

    def test_windows_are_counted_by_state(self) -> None:
        self.store(*(entry("p1", hour=hour) for hour in range(4)))
        self.last_collected(START + 4 * HOUR, id="p1")
        failure = {"start": START + 4 * HOUR, "end": START + 5 * HOUR, "reason": "HTTP 500", "collector": "c"}
        times = {"since": START, "seen": START, "runs": 1}
        self.insert(models.project_failures, {"tenant_id": "p1", **failure, **times})
        self.track()
        notes = self.notes("usage", "summary", "--start", "2026-01-31T22:00", "--end", "2026-02-01T04:00")
        expected = "Windows: 4 unrecorded, 1 failed, 1 missing; see window gaps for what is wrong with 1 project\n"
        self.assertTrue(notes.endswith(expected), notes)

    def test_incomplete_period_can_be_refused(self) -> None:
        self.store(*(entry("p1", hour=hour) for hour in range(6)))
        self.track()
        complete = ("usage", "summary", "--require-complete", "--end", "2026-02-01T04:00")
        self.assertEqual(1, len(self.rows(*complete)))
        self.last_collected(START + 5 * HOUR, id="p2")
        for command in (complete, (*complete, "--project", "p2"), (*complete[:-1], "2026-02-01T05:00")):
            refused = manage.run(self.config, *command, "-f", "csv")
            self.assertEqual((1, '"project_id"'), (refused.returncode, refused.stdout.partition(",")[0]))
            self.assertTrue(refused.stderr.endswith("distil-manage: The period is not complete\n"), refused.stderr)
        self.rows(*complete, "--project", "p1")
        with self.engine.begin() as connection:
            departed = {"departed": START, "collect_until": START + 5 * HOUR, "in_scope_of": None}
            connection.execute(sa.update(models.tenants).filter_by(id="p2").values(departed))
        self.rows(*complete)
        self.rows(*complete, "--project", "p2")
        self.assertIn("needs --month or --end", self.usage_error("usage", "list", "--require-complete"))

    def test_project_that_was_never_registered_is_missing(self) -> None:
        complete = ("usage", "summary", "--require-complete", "--end", "2026-02-01T04:00")
        self.store(entry("p1"))
        self.rows(*complete)
        self.insert(
            models.project_states,
            {"tenant_id": "p3", "since": START + 3 * HOUR, "state": "enabled", "domain_id": "d1", "collector": "c"},
        )
        for command in (complete, (*complete, "--domain", "d1")):
            refused = manage.run(self.config, *command)
            self.assertEqual(1, refused.returncode)
            self.assertIn("3 missing; see window gaps for what is wrong with 1 project\n", refused.stderr)
        self.rows(*complete, "--project", "p1")

    def test_current_period_is_refused(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        self.last_collected(now + 9 * HOUR)
        period = ("--start", (now - 9 * HOUR).isoformat(), "--end", (now + 2 * HOUR).isoformat())
        refused = manage.run(self.config, "usage", "list", *period, "--require-complete")
        self.assertEqual(1, refused.returncode)
        self.assertIn("distil-manage: The period is not over: it ends at 2", refused.stderr)

    def test_project_in_no_scope_is_complete(self) -> None:
        complete = ("--quiet", "usage", "summary", "--require-complete", "--month", "2026-02")
        self.store(entry("p1"))
        self.last_collected(START + 900 * HOUR)
        self.last_collected(START, id="p2")
        self.assertEqual(0, manage.run(self.config, *complete).returncode)
        self.track()
        self.assertEqual(1, manage.run(self.config, *complete).returncode)

    def test_nothing_in_scope_is_not_complete(self) -> None:
        self.last_collected(START)
        complete = ("--quiet", "usage", "summary", "--require-complete", "--month", "2026-02")
        self.assertEqual(1, manage.run(self.config, *complete).returncode)

    def test_period_before_stored_usage_is_warned_of(self) -> None:
        self.store(entry("p1"))
        notes = self.notes("--quiet", "usage", "summary", "--start", "2026-01-31", "--end", "2026-02-01")
        warning = "distil-manage: The period begins at 2026-01-31T00:00:00Z, before the stored usage\n"
        self.assertEqual(warning, notes)

    def test_uncollected_project_is_warned_of(self) -> None:
        self.last_collected(None)
        notes = self.notes("usage", "list", "--project", "p1", "-f", "csv")
        self.assertIn("1 project, of which nothing has been collected\n", notes)
        self.assertIn("No usage found\n", notes)

    def track(self) -> None:
        """Let a collector have all projects in its scope."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(in_scope_of="default"))

    def test_table_explains_volumes(self) -> None:
        self.store(entry("p1"))
        self.assertIn("Volumes of a level, such as gigabyte, are of its unit times hours", self.notes("usage", "list"))
        self.assertIn("gigabyte-hours", self.output("usage", "summary", "--help"))

    def test_period_selects_windows_by_start(self) -> None:
        self.store(*(entry("p1", hour=hour) for hour in range(4)))
        period = ("--start", f"{START + HOUR:%Y-%m-%dT%H:%M}", "--end", "2026-02-01T02:00:00+01:00")
        starts = [row["start"] for row in self.rows("usage", "list", *period)]
        self.assertEqual(["2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z"], starts)
        by_month = self.rows("usage", "summary", *period, "--group-by", "month")
        self.assertEqual([("2026-01", "1"), ("2026-02", "1")], [(row["month"], row["volume"]) for row in by_month])

    def test_project_matches_exact_id_or_name(self) -> None:
        self.store(*(entry(project, "1.50") for project in PROJECTS))
        for text in ("p1", "name of p1"):
            (row,) = self.rows("usage", "list", "--project", text)
            self.assertEqual(("p1", "1.5"), (row["project_id"], row["volume"]))
        self.assertEqual(2, len(self.rows("usage", "list", "--project", "p1", "--project", "p2")))
        self.assertIn("'NAME OF p1'", self.error("usage", "list", "--project", "NAME OF p1", status=3))

    def test_ambiguous_project_name_is_rejected(self) -> None:
        self.insert(models.tenants, {"id": "p4", "name": "twin"}, {"id": "p3", "name": "twin"})
        self.assertIn("p3, p4", self.error("usage", "list", "--project", "twin", status=3))

    def test_filters_and_limit_select_rows(self) -> None:
        self.store(*(entry("p1", service=service, resource=resource) for service in SERVICES for resource in RESOURCES))
        self.assertEqual(4, len(self.rows("usage", "list", "--service", "c1.small", "--service", "b1")))
        self.assertEqual(1, len(self.rows("usage", "list", "--service", "b1", "--resource", "r2")))
        self.assertEqual(1, len(self.rows("usage", "list", "--limit", "1")))
        self.assertEqual(2, len(self.rows("usage", "summary", "--limit", "2")))

    def test_volumes_are_exact_in_every_format(self) -> None:
        volume = "12345.0123456789" if self.BACKEND == databases.SQLITE else "1234567890123.0123456789"
        self.store(entry("p1", volume))
        self.assertEqual(volume, self.rows("usage", "list")[0]["volume"])
        self.assertEqual(volume, self.rows("usage", "summary")[0]["volume"])
        self.assertEqual(volume, json.loads(self.output("usage", "list", "-f", "jsonl"))["volume"])
        self.assertEqual(volume, next(csv.DictReader(io.StringIO(self.output("usage", "list", "-f", "csv"))))["volume"])

    def test_volumes_are_sorted_as_numbers(self) -> None:
        self.store(*(entry("p1", volume, hour) for hour, volume in enumerate(("10", "9", "1000", "2.5"))))
        for command in (("list",), ("summary", "--group-by", "hour")):
            rows = self.rows("usage", *command, "--sort-column", "volume", "--sort-descending")
            self.assertEqual(["1000", "10", "9", "2.5"], [row["volume"] for row in rows])

    def test_prune_deletes_old_windows(self) -> None:
        self.store(*(entry(project, hour=hour) for project in PROJECTS for hour in range(4)))
        command = ("usage", "prune", "--before", f"{START + 2 * HOUR:%Y-%m-%dT%H:%M}")
        would = self.rows(*command, "--dry-run")
        self.assertEqual(12, len(self.rows("usage", "list")))
        expected = {
            "before": "2026-02-01T00:00:00Z",
            "result": "deleted",
            "usage_entries": 6,
            "rejected_samples": 0,
            "projects": 3,
            "first_usage": "2026-01-31T22:00:00Z",
            "last_usage": "2026-02-01T00:00:00Z",
        }
        self.assertEqual(expected, self.rows(*command))
        self.assertEqual({**expected, "result": "would be deleted"}, would)
        self.assertEqual(6, len(self.rows("usage", "list")))
        self.assertEqual(2, self.rows("usage", "prune", "--before", "2026-06-01", "--project", "p1")["usage_entries"])
        self.assertEqual(4, len(self.rows("usage", "list")))

    def test_future_is_not_pruned(self) -> None:
        self.assertEqual(
            "--before must not be in the future", self.usage_error("usage", "prune", "--before", "2999-01-01")
        )
        self.usage_error("usage", "prune")

    def test_recent_usage_needs_force(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        hour = (now - START) // HOUR - 59 * 24
        self.store(entry("p1", hour=hour))
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).filter_by(id="p1").values(last_collected=now))
        before = f"{now - 58 * 24 * HOUR:%Y-%m-%dT%H:%M}"
        command = ("usage", "prune", "--before", before)
        self.assertEqual(
            f"{before}:00Z is within the last 60 days, whose usage may not be billed yet; check it with --dry-run,"
            " and use --force if it is meant",
            self.error(*command),
        )
        would = self.rows(*command, "--dry-run")
        self.assertEqual(("would be deleted", 1), (would["result"], would["usage_entries"]))
        self.assertEqual(1, self.rows(*command, "--force")["usage_entries"])
        self.assertEqual(
            0, self.rows("usage", "prune", "--before", f"{now - 61 * 24 * HOUR:%Y-%m-%d}")["usage_entries"]
        )

    def test_entries_can_be_read_partially(self) -> None:
        self.store(*(entry("p1", hour=hour) for hour in range(5)))
        read = usage_entries.entries(self.engine, usage_entries.UsageFilter())
        self.assertEqual(START, next(read).start)
        read.close()  # type: ignore[attr-defined]
        self.assertEqual(5, len(list(usage_entries.entries(self.engine, usage_entries.UsageFilter()))))


class UsageMySQLTest(UsageTest):
    BACKEND = databases.MYSQL


class UsagePostgreSQLTest(UsageTest):
    BACKEND = databases.POSTGRESQL
