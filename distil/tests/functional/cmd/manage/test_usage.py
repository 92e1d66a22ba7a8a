# SPDX-License-Identifier: Apache-2.0
"""``usage list`` and ``usage summary``."""

import collections
import csv
import datetime
import io
import json
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from distil.db import models
from distil.db import usage_entries
from distil.tests.support import databases
from distil.tests.support import manage

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 1, 31, 22, tzinfo=datetime.UTC)

PROJECTS = ("p1", "P1", "p2")
RESOURCES = ("r1", "r2")
SERVICES = ("c1.small", "c1.Small", "b1")
UNITS = ("gigabyte", "Gigabyte", "hour")

# What each database keeps exactly: SQLite knows 15 digits.
VOLUMES = st.integers(0, 10**9).map(lambda number: Decimal(number).scaleb(-3))
WINDOWS = st.integers(0, 5).map(lambda hour: START + hour * HOUR)
FORMATS = {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"}


@st.composite
def entries(draw: st.DrawFn) -> list[usage_entries.UsageEntry]:
    keys = st.tuples(st.sampled_from(PROJECTS), st.sampled_from(SERVICES), st.sampled_from(RESOURCES), WINDOWS)
    drawn = draw(st.sets(keys, max_size=20))
    return [
        usage_entries.UsageEntry(
            project, service, resource, draw(st.sampled_from(UNITS)), draw(VOLUMES), start, start + HOUR
        )
        for project, service, resource, start in sorted(drawn)
    ]


def entry(
    project: str, volume: str = "1", hour: int = 0, service: str = "b1", resource: str = "r1"
) -> usage_entries.UsageEntry:
    start = START + hour * HOUR
    return usage_entries.UsageEntry(project, service, resource, "hour", Decimal(volume), start, start + HOUR)


def group_of(entry: usage_entries.UsageEntry, by: str) -> str:
    names = {"project": entry.project_id, "service": entry.service, "resource": entry.resource_id, "unit": entry.unit}
    return entry.start.strftime(FORMATS[by]) if by in FORMATS else names[by]


class UsageTest(manage.ManageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.insert(models.tenants, *({"id": project, "name": f"name of {project}"} for project in PROJECTS))
        self.insert(
            models.resources,
            *({"id": resource, "tenant_id": project} for project in PROJECTS for resource in RESOURCES),
        )

    def store(self, *stored: usage_entries.UsageEntry) -> None:
        self.empty(models.usage_entry)
        rows = [usage._asdict() for usage in stored]
        self.insert(models.usage_entry, *({"tenant_id": row.pop("project_id"), **row} for row in rows))

    @hypothesis.given(stored=entries(), by=st.lists(st.sampled_from(usage_entries.GROUPS), unique=True))
    def test_summary_equals_sum_of_list(self, stored: list[usage_entries.UsageEntry], by: list[str]) -> None:
        self.store(*stored)
        by = by if "unit" in by else [*by, "unit"]
        listed = list(usage_entries.entries(self.engine, usage_entries.UsageFilter()))
        self.assertCountEqual(stored, listed)
        sums: dict[tuple[str, ...], tuple[Decimal, int]] = collections.defaultdict(lambda: (Decimal(0), 0))
        for usage in listed:
            group = tuple(group_of(usage, name) for name in by)
            sums[group] = sums[group][0] + (usage.volume or 0), sums[group][1] + 1
        totals = {
            total.group: (total.volume, total.entries)
            for total in usage_entries.totals(self.engine, usage_entries.UsageFilter(), by)
        }
        self.assertEqual(sums, totals)

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


class UsageCommandLineTest(manage.ManageTestCase):
    def test_invalid_option_value_exits_with_2(self) -> None:
        for option in (("--group-by", "week"), ("--start", "yesterday"), ("--limit", "-1")):
            self.usage_error("usage", "summary", *option)
