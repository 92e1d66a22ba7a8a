# SPDX-License-Identifier: Apache-2.0
"""``mapping diff``, against what a collector with the new files stores."""

import json
import pathlib
import unittest
from collections import defaultdict
from decimal import Decimal
from typing import Any
from typing import ClassVar

import sqlalchemy as sa
import yaml

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import ETC
from distil.tests.support.site import Site

Sums = dict[tuple[str, str, str], Decimal]


class MappingDiffTest(unittest.TestCase):
    site: ClassVar[Site]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site(databases.MYSQL, projects=3, resources=2))
        cls.site.collect()

    def setUp(self) -> None:
        self.mappings: list[dict[str, Any]] = yaml.safe_load((ETC / "meter_mappings.yml").read_text())
        self.new = pathlib.Path(self.site.folder, f"{self.id()}.yml")

    def test_identical_file_makes_no_difference(self) -> None:
        before = self.tables()
        self.assertEqual([], self.diff())
        self.assertEqual(before, self.tables())

    def test_changes_are_those_of_collecting_afresh(self) -> None:
        by_meter = {entry["meter"]: entry for entry in reversed(self.mappings)}
        by_meter["volume.size"]["volume"] = 7
        by_meter["network"]["filters"] = ["volume > `1`"]
        by_meter["router"]["service"] = "n9.router"
        by_meter["ip.floating"]["unit"] = "minute"
        self.mappings.append({"meter": "cpu", "service": "c9.cpu", "unit": "ns", "transformer": "sum"})
        rows = self.diff()
        before, after = self.sums(self.site), self.collected_afresh()
        differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        self.assertEqual(differing, {(row["project_id"], row["service"], row["unit"]) for row in rows})
        for row in rows:
            key = row["project_id"], row["service"], row["unit"]
            self.assertEqual((before.get(key), after.get(key)), (volume(row["before"]), volume(row["after"])), key)
            self.assertEqual(after.get(key, 0) - before.get(key, 0), volume(row["difference"]))
        self.assertEqual({"volume", "appears", "vanishes", "unit"}, {row["change"] for row in rows})

    def test_projects_are_added_up(self) -> None:
        self.mappings = [entry for entry in self.mappings if entry["meter"] != "router"]
        rows, total = self.diff(), self.diff("--by-service")
        self.assertEqual({"n1.router"}, {row["service"] for row in [*rows, *total]})
        self.assertEqual(sum(Decimal(row["difference"]) for row in rows), Decimal(total[0]["difference"]))
        self.assertEqual(sum(row["entries"] for row in rows), total[0]["entries"])

    def test_seed_chooses_the_same_sample(self) -> None:
        for entry in self.mappings:
            entry["service"] = f"new.{entry['meter']}"
        shown = self.run_diff("--sample", "1")
        seed = shown.stderr.partition("--seed ")[2].split()[0]
        self.assertIn("Rating 1 of ", shown.stderr)
        rows = [self.diff("--sample", "1", "--seed", seed) for _ in range(2)]
        self.assertEqual(rows[0], rows[1])
        self.assertLessEqual(len({row["project_id"] for row in rows[0]}), 1)

    def test_services_are_called_out(self) -> None:
        self.mappings[0]["service"] = self.mappings[0]["meter"]
        self.mappings = [entry for entry in self.mappings if entry["meter"] != "router"]
        self.mappings.append({"meter": "network", "service": "n9.network", "unit": "hour", "transformer": "max"})
        notes = self.run_diff().stderr
        self.assertRegex(notes, "Service n1.router vanishes: [0-9]+ hour")
        self.assertRegex(notes, "Service n9.network appears: [0-9]+ hour")
        self.assertIn("Compared 12 windows of 4 projects", notes)

    def test_samples_that_new_rules_reject_are_told(self) -> None:
        (network,) = [entry for entry in self.mappings if entry["meter"] == "network"]
        network["volume"] = {"source": "metadata.name"}
        result = self.run_diff()
        self.assertEqual(0, result.returncode)
        self.assertRegex(result.stderr, "The new rules reject [0-9]+ samples of meter network, the present ones 0: ")
        self.assertIn("Service n1.network vanishes", result.stderr)

    def test_samples_that_are_gone_are_left_out(self) -> None:
        self.keep_receipts()
        project_id = self.site.cloud.projects.enabled_ids[0]
        receipts = self.site.rows(sa.select(models.receipts).filter_by(tenant_id=project_id))
        for number, receipt in enumerate(receipts, start=1):
            more = {name: [count + 1, *rest] for name, (count, *rest) in json.loads(receipt.meters).items()}
            table = models.receipts
            where = (table.c.tenant_id == project_id, table.c.start == receipt.start)
            self.execute(sa.update(table).where(*where).values(meters=json.dumps(more)))
            result = self.run_diff("--project", project_id)
            self.assertRegex(result.stderr, f"{number} windows? not compared, because .* of the [0-9]+ samples of")
            self.assertEqual(int(number == len(receipts)), result.returncode)
        self.assertIn("No window could be compared", result.stderr)

    def test_windows_without_receipts_are_compared(self) -> None:
        self.keep_receipts()
        self.execute(sa.delete(models.receipts))
        self.mappings = [entry for entry in self.mappings if entry["meter"] != "router"]
        billed = sum(entry.volume for entry in self.site.usage(service="n1.router"))
        self.assertEqual(-billed, sum(Decimal(row["difference"]) for row in self.diff()))

    def test_every_problem_of_new_file_is_shown(self) -> None:
        self.mappings = [{"meter": "router", "transformer": "none"}, {"meter": 5}]
        result = self.run_diff()
        self.assertEqual((1, ""), (result.returncode, result.stdout))
        self.assertGreaterEqual(len(result.stderr.splitlines()), 4)
        self.assertIn("unknown transformer 'none'", result.stderr)

    def test_period_is_required(self) -> None:
        result = manage.run(self.site.config, "mapping", "diff", "--new", "x", "--start", "2026-01-01")
        self.assertEqual(2, result.returncode)
        self.assertIn("choose a period", result.stderr)

    def test_period_without_windows_fails(self) -> None:
        result = self.run_diff("--start", "2020-01-01", "--end", "2020-02-01")
        self.assertEqual(1, result.returncode)
        self.assertIn("No window could be compared", result.stderr)

    def test_failed_window_is_counted(self) -> None:
        failing, other = self.site.cloud.projects.enabled_ids[:2]
        self.site.cloud.add_fault("metering", "status", status=400, project_id=failing)
        self.addCleanup(self.site.cloud.faults.clear)
        result = self.run_diff("--project", failing, "--project", other)
        self.assertEqual(1, result.returncode)
        self.assertIn(f"3 windows failed, such as project {failing}, window", result.stderr)
        self.assertIn("Compared 3 windows of 1 project\n", result.stderr)

    def keep_receipts(self) -> None:
        """Restore the receipts after the test."""
        rows = [row._asdict() for row in self.site.rows(sa.select(models.receipts))]
        self.addCleanup(self.execute, sa.insert(models.receipts), rows)
        self.addCleanup(self.execute, sa.delete(models.receipts))

    def execute(self, *statement: Any) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(*statement)

    def diff(self, *arguments: str, status: int = 0) -> Any:
        result = self.run_diff(*arguments, "--quiet", "--format", "json")
        self.assertEqual(status, result.returncode, result.stderr)
        return json.loads(result.stdout)

    def run_diff(self, *arguments: str) -> Any:
        self.new.write_text(yaml.safe_dump(self.mappings))
        period = ("--start", self.site.start.isoformat(), "--end", self.site.end.isoformat())
        return manage.run(self.site.config, "mapping", "diff", "--new", str(self.new), *period, *arguments)

    def collected_afresh(self) -> Sums:
        with Site(cloud=self.site.cloud) as site:
            site.start, site.end = self.site.start, self.site.end
            site.configure(meter_mappings_file=self.new)
            site.collect()
            return self.sums(site)

    def sums(self, site: Site) -> Sums:
        sums: Sums = defaultdict(Decimal)
        for entry in site.usage():
            sums[entry.project_id, entry.service, entry.unit] += entry.volume
        return dict(sums)

    def tables(self) -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(str, self.site.rows(sa.select(table)))) for table in models.metadata.sorted_tables
        }


def volume(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
