# SPDX-License-Identifier: Apache-2.0
"""Meters that vanish from many projects at once: their windows are held, and billed as suspect at last."""

import datetime
import unittest
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.sandbox.data.meters import METERS
from distil.tests.support import databases
from distil.tests.support.site import HOUR
from distil.tests.support.site import Entry
from distil.tests.support.site import Site

PROJECTS = 12


def is_before(document: Mapping[str, Any], time: datetime.datetime) -> bool:
    return model.parse_time(document["timestamp"]) < time


class GuardTest(unittest.TestCase):
    """All projects have usage in the first window, and telemetry answers less in the second."""

    def site(self, backend: str = databases.SQLITE, guard_projects: int = 10) -> Site:
        site = self.enterContext(Site(backend, projects=PROJECTS, resources=1))
        site.configure(guard_projects=guard_projects)
        site.collect(site.start + HOUR)
        self.assertEqual(PROJECTS, len({entry.project_id for entry in site.usage()}))
        return site

    def lose(self, site: Site, projects: int = PROJECTS, meters: Collection[str] = ()) -> set[str]:
        """Have telemetry lose the samples after the first window of some projects, and return their ids.

        :param meters: those that are lost; empty: all.
        """
        losing = sorted({entry.project_id for entry in site.usage()})[:projects]
        for project_id in losing:
            for meter in meters or METERS:
                samples = site.samples(project_id, meter)
                kept = [document for document in samples if is_before(document, site.start + HOUR)]
                site.cloud.add_samples(project_id, meter, kept, replace=True)
        return set(losing)

    def suspects(self, site: Site) -> dict[tuple[str, datetime.datetime], str]:
        columns = models.receipts.c
        query = sa.select(columns.tenant_id, columns.start, columns.suspect).where(columns.suspect.is_not(None))
        return {(project_id, start): suspect for project_id, start, suspect in site.rows(query)}

    def reasons(self, site: Site) -> set[str]:
        return {reason for (reason,) in site.rows(sa.select(models.project_failures.c.reason).distinct())}

    def expected(self, site: Site) -> list[Entry]:
        """The usage that a collector stores that was never disturbed."""
        other = self.enterContext(Site(cloud=site.cloud))
        other.collect(site.start + 2 * HOUR)
        return other.usage()

    def test_usage_is_complete_after_empty_answers(self) -> None:
        for backend in (databases.MYSQL, databases.POSTGRESQL):
            with self.subTest(backend):
                site = self.site(backend)
                losing = self.lose(site)
                log = site.collect(site.start + 2 * HOUR, status=1)
                self.assertRegex(log, r"are held, retrying in the next run: meter \S+ vanished \(and \d+ other")
                self.assertEqual(losing, self.behind(site))
                (reason,) = self.reasons(site)
                self.assertRegex(
                    reason,
                    rf"^meter \S+ vanished \(and \d+ other meters\): {PROJECTS} projects had it in their previous"
                    r" window and none has it now; held for this and 2 more runs, then billed as suspect$",
                )
                site.cloud.injected_samples.clear()
                site.collect(site.start + 2 * HOUR)
                self.assertEqual(self.expected(site), site.usage())
                self.assertEqual({}, self.suspects(site))

    def test_windows_are_billed_as_suspect_at_last(self) -> None:
        site = self.site()
        losing = self.lose(site)
        for more in ("2 more runs", "1 more run", "0 more runs"):
            site.collect(site.start + 2 * HOUR, status=1)
            (reason,) = self.reasons(site)
            self.assertIn(f"held for this and {more}, then", reason)
        self.assertIn("billed as suspect, because usage may be missing", site.collect(site.start + 2 * HOUR))
        self.assertEqual({site.start + 2 * HOUR}, set(site.last_collected().values()))
        suspects = self.suspects(site)
        self.assertEqual({(project_id, site.start + HOUR) for project_id in losing}, set(suspects))
        self.assertTrue(all("vanished" in suspect for suspect in suspects.values()))

    def test_one_meter_holds_windows(self) -> None:
        site = self.site()
        losing = self.lose(site, meters=["instance"])
        site.collect(site.start + 2 * HOUR, status=1)
        self.assertEqual(losing, self.behind(site))
        (reason,) = self.reasons(site)
        self.assertTrue(reason.startswith(f"meter instance vanished: {PROJECTS} projects"), reason)

    def test_zero_holds_nothing(self) -> None:
        site = self.site(guard_projects=0)
        self.lose(site)
        site.collect(site.start + 2 * HOUR)
        self.assertEqual({site.start + 2 * HOUR}, set(site.last_collected().values()))
        self.assertEqual({}, self.suspects(site))

    def test_fewer_projects_are_not_held(self) -> None:
        site = self.site()
        losing = self.lose(site, projects=9)
        site.collect(site.start + 2 * HOUR)
        self.assertEqual((set(), {}), (self.behind(site), self.suspects(site)))
        self.assertEqual(set(), {entry.project_id for entry in site.usage(start=site.start + HOUR)} & losing)

    def test_meters_of_other_projects_contradict(self) -> None:
        site = self.site()
        self.lose(site, projects=PROJECTS - 1)
        site.collect(site.start + 2 * HOUR)
        self.assertEqual((set(), {}), (self.behind(site), self.suspects(site)))

    def test_changed_unit_of_few_projects_is_suspect_at_once(self) -> None:
        site = self.site()
        project_id = min(entry.project_id for entry in site.usage())
        samples = [
            document | ({} if is_before(document, site.start + HOUR) else {"unit": "box"})
            for document in site.samples(project_id, "instance")
        ]
        site.cloud.add_samples(project_id, "instance", samples, replace=True)
        site.collect(site.start + 2 * HOUR)
        suspect = {(project_id, site.start + HOUR): "meter instance changed its unit from instance to box"}
        self.assertEqual((set(), suspect), (self.behind(site), self.suspects(site)))

    def behind(self, site: Site) -> set[str]:
        """The ids of the projects whose second window is not stored."""
        return {key for key, stored in site.last_collected().items() if stored < site.start + 2 * HOUR}
