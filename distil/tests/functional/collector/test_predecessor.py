# SPDX-License-Identifier: Apache-2.0
"""The predecessor's database, upgraded in place: collection continues from its last collected times."""

import unittest

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import predecessor
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


class PredecessorDatabaseTest(unittest.TestCase):
    def test_run_continues_where_predecessor_stopped(self) -> None:
        site = self.enterContext(Site(databases.MYSQL, migrated=False))
        predecessor.create(site.engine)
        project_id, *others = site.cloud.projects.enabled_ids
        stopped = site.start + HOUR
        with site.engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO tenants VALUES (:id, 'old name', NULL, :stopped, :stopped)"),
                {"id": project_id, "stopped": stopped.replace(tzinfo=None)},
            )
        commands.run("distil-db-manage", "--config-file", str(site.config), "upgrade", "head").check_returncode()
        # A day further back than anything that was collected: the oldest last collected is where new projects start.
        site.configure(max_collection_start_age=24)
        site.collect()
        starts = {each: min(entry.start for entry in site.usage(tenant_id=each)) for each in (project_id, *others)}
        self.assertEqual(dict.fromkeys(starts, stopped), starts)
        tenants = models.tenants
        (name,) = site.rows(sa.select(tenants.c.name).where(tenants.c.id == project_id))[0]
        self.assertEqual("project-0", name)
        self.assertEqual(["p1", "p2"], [entry.project_id for entry in site.usage() if entry.start < site.start])
