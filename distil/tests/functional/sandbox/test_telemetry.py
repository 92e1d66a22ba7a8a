# SPDX-License-Identifier: Apache-2.0
"""Tests of the sandbox's usage as a collector bills it through each telemetry service."""

import unittest
from typing import ClassVar

from distil.sandbox.telemetry import telemetry_sections
from distil.tests.support.site import Entry
from distil.tests.support.site import Site


class TelemetryTest(unittest.TestCase):
    """A cloud is collected through Ceilometer and another service."""

    site: ClassVar[Site]
    expected: ClassVar[list[Entry]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(Site(resources=8))
        cls.site.collect()
        cls.expected = cls.site.usage()

    def usage(self, telemetry: str) -> list[Entry]:
        """Return what is billed through a telemetry service."""
        sections = dict(telemetry_sections(self.site.cloud, telemetry))
        driver = sections.pop("collector")["collector_backend"]
        with Site(cloud=self.site.cloud) as other:
            other.start, other.end = self.site.start, self.site.end
            other.configure(sections=sections, collector_backend=driver)
            other.collect()
            self.assertEqual([], other.rejected())
            return other.usage()

    def test_gnocchi_bills_the_same(self) -> None:
        self.assertEqual(self.expected, self.usage("gnocchi"))

    def test_prometheus_lacks_databases_and_root_disks(self) -> None:
        for telemetry in ("prometheus", "aetos"):
            with self.subTest(telemetry=telemetry):
                self.assertEqual(self._without_databases_and_root_disks(), self.usage(telemetry))

    def _without_databases_and_root_disks(self) -> list[Entry]:
        databases = {
            sample["resource_id"]
            for project_id in self.site.cloud.projects.enabled_ids
            for sample in self.site.samples(project_id, "database.instance")
        }
        found = [entry for entry in self.expected if entry.resource_id.removesuffix("-volume") not in databases]
        kept = [entry for entry in found if not entry.resource_id.endswith("-root_disk")]
        self.assertTrue(len(kept) < len(found) < len(self.expected))
        return kept
