# SPDX-License-Identifier: Apache-2.0
"""What deployment tools write and start for older releases works unchanged, on an older release's database."""

import datetime
import pathlib
import re
import signal
import tempfile
import unittest

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.db import models
from distil.tests.acceptance.role.cloud import TlsCloud
from distil.tests.acceptance.role.host import USER
from distil.tests.acceptance.role.host import Host
from distil.tests.acceptance.role.host import skip_unless_users_can_be_changed
from distil.tests.support import databases
from distil.tests.support import predecessor
from distil.tests.support.certificates import Authority
from distil.tests.support.exporter import metrics
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR

STALE = re.escape("has no effect and can be removed")
RENAMED = 'Deprecated: Option "ignore_tenants" from group "collector" .*Use option "ignore_projects"'


class DeploymentRoleTest(unittest.TestCase):
    def setUp(self) -> None:
        skip_unless_users_can_be_changed()
        authority = Authority(pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())))
        start = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0) - 4 * HOUR
        cloud = self.enterContext(TlsCloud(authority.issue(), projects=8, resources=1, start=start))
        url = self.enterContext(databases.database(databases.MYSQL, migrated=False))
        self.engine = db_engine.create_engine(url)
        self.addCleanup(self.engine.dispose)
        predecessor.create(self.engine)
        self.host = self.enterContext(Host(cloud, url, authority.file))

    def upgrade(self, name: str) -> None:
        """Bring the database to the newest revision, and see that nothing is in a collector's way."""
        manage = self.host.start("distil-db-manage", name, "upgrade", "head")
        said, _ = manage.communicate(timeout=120)
        self.assertEqual(0, manage.returncode, said)
        status = self.host.start("distil-status", name, "upgrade", "check")
        said, _ = status.communicate(timeout=120)
        self.assertEqual(1, status.returncode, said)
        self.assertIn("host-1 holds 1 lease that the next run takes over", said)

    def run_once(self, name: str, port: int) -> None:
        """Start a collector, and end it after its first run."""
        collector = self.host.start("distil-collector", name)
        wait_for(lambda: metrics(port).get("distil_collector_last_run_end") or collector.poll() is not None)
        if collector.poll() is not None:
            self.fail(collector.communicate()[0])
        self.assertRegex(pathlib.Path(f"/proc/{collector.pid}/status").read_text(), rf"Uid:\t{USER}\t{USER}")
        collector.send_signal(signal.SIGTERM)
        said, _ = collector.communicate(timeout=60)
        self.assertEqual(0, collector.returncode, said)

    def collected(self) -> set[str]:
        """The names of the projects that have usage and are the cloud's."""
        billed = sa.select(models.usage_entry.c.tenant_id).distinct()
        query = sa.select(models.tenants.c.name).where(
            models.tenants.c.id.in_(billed), models.tenants.c.name.startswith("project-")
        )
        with self.engine.connect() as connection:
            return set(connection.scalars(query))

    def assert_warned(self, name: str, *more: str) -> None:
        """The options without effect and the deprecated ones are logged, each once, and no others."""
        expected = [
            rf"\S+/{name}.conf: \[DEFAULT\] timezone {STALE}",
            rf"\S+/{name}.conf: \[database\] backend {STALE}",
            *more,
            rf"\S+/meter_mappings.yml: transform_info {STALE}",
        ]
        warnings = self.host.warnings(name)
        self.assertEqual(len(expected), len(warnings), warnings)
        for pattern, warning in zip(expected, warnings, strict=True):
            self.assertRegex(warning, pattern)

    def test_default_collector_bills_all_projects(self) -> None:
        port = self.host.configure("default")
        self.upgrade("default")
        self.run_once("default", port)
        self.assertEqual({f"project-{number}" for number in range(6)} | {"project-6 🚀", "project-7"}, self.collected())
        self.assert_warned("default")
        self.assertEqual(USER, self.host.log("default").stat().st_uid)

    def test_named_collectors_bill_own_scopes(self) -> None:
        internal = self.host.configure(
            "internal",
            "partitioning_suffix = internal",
            "include_domains = Default, internal-tools",
            "ignore_tenants = project-4, project-0",
        )
        customers = self.host.configure(
            "customers", "partitioning_suffix = customers", "ignore_domains = Default, internal-tools, heat"
        )
        self.upgrade("internal")
        self.run_once("internal", internal)
        self.assertEqual({"project-2", "project-6 🚀"}, self.collected())
        self.run_once("customers", customers)
        self.assertEqual({"project-1", "project-2", "project-5", "project-6 🚀"}, self.collected())
        self.assertIn("collector internal", self.host.log("internal").read_text())
        self.assert_warned("internal", RENAMED)
        self.assert_warned("customers")
