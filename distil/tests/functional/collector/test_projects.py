# SPDX-License-Identifier: Apache-2.0
"""Projects that are new or unused."""

import unittest

import sqlalchemy as sa

from distil.db import models
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


class NewProjectTest(unittest.TestCase):
    """The last of three projects does not exist at first, and has no ``created_on``."""

    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.stuck, _, self.new = self.site.cloud.projects.enabled_ids
        self.site.cloud.projects.delete(self.new)

    def test_stuck_project_delays_no_new_one(self) -> None:
        self.site.cloud.add_fault("metering", "status", status=503, project_id=self.stuck)
        self.site.collect(self.site.start + 2 * HOUR, status=1)
        self.site.cloud.projects.update(self.new, {})
        self.site.collect(status=1)
        self.assertEqual(self.site.start, self.site.last_collected()[self.stuck])
        self.assertEqual(self.site.start + 2 * HOUR, min(entry.start for entry in self.site.usage(tenant_id=self.new)))

    def test_new_project_starts_with_stuck_ones(self) -> None:
        """In an outage every project fails, and the new one may have been created at its beginning."""
        self.site.cloud.add_fault("metering", "status", status=503)
        self.site.collect(self.site.start + 2 * HOUR, status=1)
        self.site.cloud.faults.clear()
        self.site.cloud.projects.update(self.new, {})
        self.site.collect()
        self.assertEqual(self.site.start, min(entry.start for entry in self.site.usage(tenant_id=self.new)))

    def test_created_on_outranks_others(self) -> None:
        created = self.site.start + HOUR
        self.site.collect()
        self.site.cloud.projects.update(self.new, {"created_on": f"{created:%Y-%m-%dT%H:%M:%S}"})
        self.site.collect()
        self.assertEqual(created, min(entry.start for entry in self.site.usage(tenant_id=self.new)))


class UnusedProjectTest(unittest.TestCase):
    def test_empty_windows_are_made_up_at_once(self) -> None:
        site = self.enterContext(Site())
        site.collect()
        unused = site.cloud.projects.service_id
        with site.engine.begin() as connection:
            last_collected = sa.update(models.tenants).values(last_collected=site.end - 60 * HOUR)
            connection.execute(last_collected.where(models.tenants.c.id == unused))
            connection.execute(sa.delete(models.receipts).where(models.receipts.c.tenant_id == unused))
        site.configure(max_windows_per_cycle=1)
        site.collector()
        wait_for(lambda: site.last_collected()[unused] > site.end)
