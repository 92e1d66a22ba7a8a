# SPDX-License-Identifier: Apache-2.0
"""``usage explain`` on windows that a real collector collected."""

import datetime
import json
import subprocess
import unittest
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import models
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import Site

EQUAL = "equal to what is stored"
TRAFFIC = "traffic.outbound.national"


class ExplainTestCase(unittest.TestCase):
    """Each test explains the first window of a project of its own."""

    site: ClassVar[Site]
    projects: ClassVar[list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.site = cls.enterClassContext(Site(databases.MYSQL, projects=16, resources=1))
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
