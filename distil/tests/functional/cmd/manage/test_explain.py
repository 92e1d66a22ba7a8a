# SPDX-License-Identifier: Apache-2.0
"""``usage explain``: of windows that a real collector collected."""

import datetime
import json
import os
import pathlib
import subprocess
import unittest
from decimal import Decimal
from typing import Any
from typing import ClassVar

import sqlalchemy as sa
import yaml

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import file_driver
from distil.tests.support import manage
from distil.tests.support.processes import script
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

EQUAL = "equal to what is stored"
TRAFFIC = "traffic.outbound.national"
SERVICE = "n1.national-out"


def clock(folder: pathlib.Path) -> dict[str, str]:
    """Install a transformer that depends on the time; return the environment of a process that finds it."""
    environment = file_driver.install(folder, group="distil.transformer", point="clock = clock:Clock")
    folder.joinpath("clock.py").write_text(
        "import time\n"
        "from decimal import Decimal\n"
        "from distil.plugin import Transformer\n"
        "class Clock(Transformer):\n"
        "    def usage(self, service, samples, window, lookups):\n"
        "        return {service: Decimal(time.time_ns())}\n"
    )
    return environment


class _ExplainTestCase(unittest.TestCase):
    """Each test explains the first window of a project of its own."""

    site: ClassVar[Site]
    projects: ClassVar[list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.site = cls.enterClassContext(Site(databases.MYSQL, projects=12, resources=1))
        cls.projects = list(cls.site.cloud.projects.enabled_ids)
        cls.prepare()
        cls.site.collect()

    @classmethod
    def prepare(cls) -> None:
        """Add samples before they are collected."""

    def setUp(self) -> None:
        self.project = self.projects.pop()

    def run_explain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        start = () if "--start" in arguments else ("--start", self.site.start.isoformat())
        return manage.run(self.site.config, "usage", "explain", self.project, *start, *arguments)

    def explain(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        result = self.run_explain(*arguments, "-f", "json")
        self.assertEqual((status, ""), (result.returncode, result.stderr), result.stdout)
        report: dict[str, Any] = json.loads(result.stdout)
        self.assertEqual(status == 0, report["reproducible"])
        return report

    def text(self, *arguments: str, status: int = 0) -> str:
        result = self.run_explain(*arguments)
        self.assertEqual((status, ""), (result.returncode, result.stderr), result.stdout)
        return result.stdout

    def verdict(self, *arguments: str, status: int = 1) -> str:
        return self.text(*arguments, status=status).splitlines()[-1]

    def error(self, *arguments: str, status: int) -> str:
        result = self.run_explain(*arguments)
        self.assertEqual((status, ""), (result.returncode, result.stdout), result.stderr)
        return result.stderr.splitlines()[-1]

    def execute(self, statement: Any) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(statement)

    def change_receipt(self, **values: object) -> None:
        self.execute(sa.update(models.receipts).where(models.receipts.c.tenant_id == self.project).values(values))

    def committed(self) -> datetime.datetime:
        columns = models.receipts.c
        ((committed,),) = self.site.rows(
            sa.select(columns.committed).where(columns.tenant_id == self.project, columns.start == self.site.start)
        )
        time: datetime.datetime = committed
        return time

    def late_sample(self, volume: int) -> None:
        recorded = (self.committed() + datetime.timedelta(minutes=1)).replace(tzinfo=None).isoformat()
        sample = self.site.sample(self.project, TRAFFIC, volume=volume, recorded_at=recorded)
        self.site.cloud.add_samples(self.project, TRAFFIC, [sample])


class UsageExplainTest(_ExplainTestCase):
    def test_every_entry_is_equal(self) -> None:
        entries: set[int] = set()
        for hour in range(3):
            report = self.explain("--start", (self.site.start + hour * HOUR).isoformat())
            start = self.site.start + hour * HOUR
            stored = {(row.service, row.resource_id): row.volume for row in self.stored(start)}
            shown = {(entry["service"], entry["resource_id"]): entry for entry in report["entries"]}
            self.assertEqual(stored, {key: Decimal(entry["stored"]) for key, entry in shown.items()})
            self.assertEqual(stored, {key: Decimal(entry["computed"]) for key, entry in shown.items()})
            derivations = [derivation for entry in report["entries"] for derivation in entry["derivations"]]
            self.assertTrue(all(derivation["steps"] and derivation["samples"] for derivation in derivations))
            entries |= {derivation["entry"] for derivation in derivations}
            self.assertEqual(EQUAL, report["verdict"])
        mappings = yaml.safe_load((ETC / "meter_mappings.yml").read_text())
        self.assertEqual(set(range(1, len(mappings) + 1)), entries)

    def stored(self, start: datetime.datetime) -> list[Any]:
        return self.site.usage(tenant_id=self.project, start=start)

    def test_text_shows_rule_samples_and_arithmetic(self) -> None:
        (entry,) = self.explain("--service", "n1.router")["entries"]
        shown = self.text("--service", "n1.router", "--start", (self.site.start + HOUR / 2).isoformat())
        for part in (
            f"n1.router of {entry['resource_id']}\n",
            "  Rule (entry 11 of the meter mappings):\n    meter: router\n    service: n1.router\n",
            f"samples of resource {entry['resource_id']}:\n    time                  volume  used  source     id ",
            "  Arithmetic:\n    the largest volume is 1; 1 x 1 h = 1\n",
            "  Result of max: 1 hour of n1.router\n  Computed: 1 hour; stored: 1 hour\n",
            "by collector default from ceilometer/RegionOne, revision 0\n",
            f"in force for this project since the window of {self.site.start:%Y-%m-%dT%H:%M:%SZ}\n",
        ):
            self.assertIn(part, shown)
        self.assertTrue(shown.endswith(f"\n\n{EQUAL}\n"))

    def test_changed_volume_is_named(self) -> None:
        change = sa.update(models.usage_entry).where(
            models.usage_entry.c.tenant_id == self.project, models.usage_entry.c.service == "n1.router"
        )
        self.execute(change.values(volume=Decimal("5.5")))
        verdict = self.verdict()
        self.assertIn(
            "not reproducible: the stored usage was changed by hand since the receipt was made: n1.router", verdict
        )
        self.assertIn("5.5 hour stored, 1 hour computed", verdict)
        verdict = self.verdict("--service", "n1.ipv4")
        self.assertTrue(verdict.endswith("; the entries above are nevertheless equal to what is stored"), verdict)

    def test_late_sample_is_named(self) -> None:
        self.late_sample(7)
        shown = self.text("--service", SERVICE, status=1)
        self.assertIn("telemetry has 1 sample more than the receipt (traffic.outbound.national ", shown)
        self.assertIn("1 sample came after the window was committed, the last at", shown)
        (line,) = (line for line in shown.splitlines() if "late, recorded" in line)
        self.assertIn(" 7 ", line)

    def test_missing_samples_are_counted(self) -> None:
        self.site.cloud.add_samples(self.project, TRAFFIC, [], replace=True)
        self.assertRegex(
            self.verdict(), r"telemetry has \d+ samples fewer than the receipt .*: its retention may be over"
        )

    def test_deleted_usage_is_named(self) -> None:
        self.execute(sa.delete(models.usage_entry).where(models.usage_entry.c.tenant_id == self.project))
        report = self.explain(status=1)
        self.assertIn("are not stored any more: deleted by hand", report["verdict"])
        self.assertEqual({None}, {entry["stored"] for entry in report["entries"]})

    def test_missing_rules_are_named(self) -> None:
        self.change_receipt(rules=999_999)
        report = self.explain(status=1)
        self.assertIn("the rules of the receipt are missing: document 999999", report["verdict"])
        self.assertIn("nevertheless equal to what is stored", report["verdict"])

    def test_missing_names_are_named(self) -> None:
        self.change_receipt(names=999_999)
        self.assertIn("the names that were looked up are missing: document 999999", self.verdict())

    def test_unrecorded_window_is_rated_by_current_rules(self) -> None:
        self.execute(sa.delete(models.receipts).where(models.receipts.c.tenant_id == self.project))
        report = self.explain("--start", (self.site.start + HOUR / 2).isoformat())
        self.assertEqual(f"{EQUAL}, by the current rules: the window has no receipt", report["verdict"])
        self.assertEqual((None, "the window has no receipt"), (report["receipt"], report["rules"]["replaces"]))
        sample = self.site.sample(self.project, TRAFFIC, volume=9)
        self.site.cloud.add_samples(self.project, TRAFFIC, [sample])
        self.assertIn(
            "the window has no receipt, and the current rules give other usage: n1.national-out", self.verdict()
        )

    def test_failing_telemetry_exits_with_1(self) -> None:
        self.site.cloud.add_fault("metering", "status", project_id=self.project, status=503)
        self.assertIn("503", self.error(status=1))

    def test_what_does_not_exist_exits_with_3(self) -> None:
        nothing = self.error("--service", "nosuch", status=3)
        self.assertIn("has neither a usage entry nor samples of service 'nosuch'", nothing)
        self.assertIn("is collected until", self.error("--start", self.site.end.isoformat(), status=3))
        before = (self.site.start - 5000 * HOUR).isoformat()
        self.assertIn("has neither a receipt nor usage of a window with", self.error("--start", before, status=3))
        self.assertIn("must not be in the future", self.error("--start", "2100-01-01", status=2))
        self.project = "nosuch"
        self.assertIn("no project in the database", self.error(status=3))


class ExplainedSamplesTest(_ExplainTestCase):
    """Samples that are not used, and odd names."""

    ROUTER = "router-1"
    CONTAINER = "folder/a\x1b[31m?\u202e"

    @classmethod
    def prepare(cls) -> None:
        mappings = cls.site.folder / "mappings.yml"
        others = (ETC / "meter_mappings.yml").read_text()
        mappings.write_text(
            others.replace("- meter: router\n", "- meter: router\n  filters: [\"metadata.name != 'off'\"]\n")
        )
        cls.site.configure(meter_mappings_file=mappings)
        valid = {"resource_id": cls.ROUTER, "metadata": {"name": "on"}}
        for project in cls.projects:
            samples = [
                cls.site.sample(project, "router", id="used", volume=2, **valid),
                cls.site.sample(project, "router", id="twice", volume=3, recorded_at="2026-01-01T00:00:01", **valid),
                cls.site.sample(project, "router", id="twice", volume=1, recorded_at="2026-01-01T00:00:02", **valid),
                cls.site.sample(project, "router", id="bad", volume="much", **valid),
                cls.site.sample(project, "router", id="other", source="laptop", **valid),
                cls.site.sample(project, "router", id="off", resource_id=cls.ROUTER, metadata={"name": "off"}),
            ]
            cls.site.cloud.add_samples(project, "router", samples)
            container = {"resource_id": f"{project}/{cls.CONTAINER}", "metadata": {"name": "x\n"}}
            meter = "storage.containers.objects.size"
            cls.site.cloud.add_samples(project, meter, [cls.site.sample(project, meter, volume=4, **container)])

    def test_each_unused_sample_has_its_reason(self) -> None:
        (entry,) = self.explain("--resource", self.ROUTER)["entries"]
        (derivation,) = entry["derivations"]
        outcomes = {(row["id"], row["volume"]): (row["outcome"], row["reason"]) for row in derivation["samples"]}
        self.assertEqual(
            {
                ("used", 2.0): ("used", None),
                ("twice", 3.0): ("delivered again", "changed"),
                ("twice", 1.0): ("used", None),
                ("bad", "much"): ("rejected", "volume 'much' is not a number"),
                ("other", 1.0): ("not trusted", "laptop"),
                ("off", 1.0): ("dropped", "metadata.name != 'off'"),
            },
            outcomes,
        )
        shown = self.text("--resource", self.ROUTER)
        self.assertIn("trusted sources: openstack, .{32}:TrafficAccounting\n", shown)
        self.assertIn("delivered again: changed; the one of", shown)

    def test_unbilled_resource_is_explained(self) -> None:
        sample = self.site.sample(self.project, "router", resource_id="silent", source="laptop")
        self.site.cloud.add_samples(self.project, "router", [sample])
        shown = self.text("--resource", "silent", status=1)
        self.assertIn("Not billed: router of silent\n", shown)
        self.assertRegex(shown, r"  laptop  +router-.*  not trusted\n")

    def test_odd_names_are_escaped(self) -> None:
        shown = self.text("--resource", f"{self.project}/{self.CONTAINER}")
        self.assertIn(
            rf"samples of resource {self.project}/folder/a\x1b[31m?\u202e", shown.replace("1 sample ", "samples ")
        )
        self.assertIn("billed as o1.standard: the container has no storage policy", shown)
        self.assertNotIn("\x1b", shown)
        (entry,) = self.explain("--resource", f"{self.project}/{self.CONTAINER}")["entries"]
        self.assertEqual(32, len(entry["resource_id"]))

    def test_old_rules_are_shown_for_old_window(self) -> None:
        before = self.explain("--service", "n1.router")
        mappings = self.site.folder / "mappings.yml"
        old = mappings.read_text()
        mappings.write_text(old.replace("service: n1.router", "service: n1.other"))
        self.addCleanup(mappings.write_text, old)
        self.assertEqual(before, self.explain("--service", "n1.router"))
        self.execute(sa.delete(models.receipts).where(models.receipts.c.tenant_id == self.project))
        self.assertIn("n1.other", self.explain(status=1)["verdict"])


class ImpureTransformerTest(unittest.TestCase):
    def test_clock_is_not_reproducible(self) -> None:
        site = self.enterContext(Site(databases.MYSQL, projects=1, resources=1))
        site.environment = clock(site.folder / "plugin")
        mappings = site.folder / "mappings.yml"
        mappings.write_text("- {meter: router, service: s, unit: hour, transformer: clock}\n")
        site.configure(meter_mappings_file=mappings)
        collector = site.collector("--collect-end-time", (site.start + HOUR).isoformat())
        output, _ = collector.communicate(timeout=120)
        self.assertEqual(0, collector.returncode, output)
        (project,) = site.cloud.projects.enabled_ids
        command = [script("distil-manage"), "--config-file", str(site.config), "usage", "explain", project]
        result = subprocess.run(
            [*command, "--start", site.start.isoformat()],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=os.environ | site.environment,
        )
        self.assertEqual(1, result.returncode, result.stderr)
        self.assertIn("so a transformer depends on something else, such as the time: s of", result.stdout)
