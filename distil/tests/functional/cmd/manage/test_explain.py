# SPDX-License-Identifier: Apache-2.0
"""``usage explain``: what is reproducible, and why not."""

import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import yaml

from distil.db import models
from distil.tests.support import manage
from distil.tests.support.explain_case import EQUAL
from distil.tests.support.explain_case import TRAFFIC
from distil.tests.support.explain_case import ExplainTestCase
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR

SERVICE = "n1.national-out"


class UsageExplainTest(ExplainTestCase):
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

    def test_recollected_window_is_equal(self) -> None:
        self.late_sample(7)
        period = ("--start", self.site.start.isoformat(), "--end", (self.site.start + HOUR).isoformat())
        command = ("usage", "recollect", self.project, *period, "--reason", "ticket 17")
        self.assertEqual(0, manage.run(self.site.config, *command).returncode)
        report = self.explain("--service", SERVICE)
        self.assertEqual([(1, "ticket 17")], [(row["revision"], row["reason"]) for row in report["revisions"]])
        self.assertIn(": ticket 17\n", self.text("--service", SERVICE))

    def test_other_telemetry_service_is_named(self) -> None:
        self.change_receipt(telemetry="gnocchi/RegionOne")
        self.assertEqual(EQUAL, self.verdict(status=0))
        self.late_sample(7)
        other = (
            "not reproducible: the samples are from ceilometer, and the window was collected from gnocchi/RegionOne; "
        )
        self.assertTrue(self.verdict().startswith(other))

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
