# SPDX-License-Identifier: Apache-2.0
"""What ``usage explain`` reports of samples and rules."""

import os
import pathlib
import subprocess
import unittest

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import file_driver
from distil.tests.support import manage
from distil.tests.support.explain_case import ExplainTestCase
from distil.tests.support.processes import script
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


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


class ExplainedSamplesTest(ExplainTestCase):
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
            null = cls.site.sample(project, "router", id="null", resource_id="null-1", volume=None)
            cls.site.cloud.add_samples(project, "router", [null])
            odd = cls.site.sample(project, "router", id=[{"a": 1}], resource_id="odd", volume=float("nan"), source={})
            cls.site.cloud.add_samples(project, "router", [odd], at=cls.site.start.isoformat())
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

    def test_retried_sample_is_named(self) -> None:
        mappings = self.site.folder / "mappings.yml"
        old = mappings.read_text()
        self.addCleanup(mappings.write_text, old)
        mappings.write_text(old.replace("- meter: router\n", "- meter: router\n  volume: 5\n"))
        manage.run(self.site.config, "rejected", "retry", "--project", self.project)
        mappings.write_text(old)
        verdict = self.verdict("--resource", "null-1")
        self.assertIn("not reproducible: the window was changed on purpose (", verdict)
        self.assertIn("its samples alone give: n1.router of null-1: 5 hour stored, nothing computed", verdict)

    def test_odd_values_are_shown(self) -> None:
        (derivation,) = self.explain("--resource", "odd")["not_billed"]
        (sample,) = derivation["samples"]
        self.assertEqual(
            ("rejected", "nan", '[{"a": 1}]', "{}"), tuple(sample[key] for key in ("outcome", "volume", "id", "source"))
        )

    def test_all_rejected_resource_is_explained(self) -> None:
        (derivation,) = self.explain("--resource", "null-1")["not_billed"]
        (sample,) = derivation["samples"]
        reason = "the volume is null in all samples of the window"
        self.assertEqual(("rejected", reason, reason), (sample["outcome"], sample["reason"], derivation["rejected"]))


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
