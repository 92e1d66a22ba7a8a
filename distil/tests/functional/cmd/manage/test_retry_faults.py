# SPDX-License-Identifier: Apache-2.0
"""``rejected retry`` by several at once, and killed at every statement: nothing is lost, and nothing billed twice."""

import contextlib
import json
import signal
import subprocess

from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.rejected_samples import START
from distil.tests.support.rejected_samples import WINDOWS
from distil.tests.support.rejected_samples import RejectedSamplesTestCase


class ConcurrentRetrySQLiteTest(RejectedSamplesTestCase):
    def test_each_sample_is_billed_once(self) -> None:
        command = [manage.PROGRAM, "--config-file", str(self.config), "rejected", "retry", "--all", "--format", "json"]
        with contextlib.ExitStack() as stack:
            processes = [
                stack.enter_context(
                    subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                )
                for _ in range(3)
            ]
            outputs = [process.communicate(timeout=120) for process in processes]
        billed = [row["id"] for output, _ in outputs for row in json.loads(output) if row["result"] == "billed"]
        self.assertEqual(12, len(billed), outputs)
        self.assertEqual(len(billed), len(set(billed)))
        self.assertEqual((self.expected("p1", "p2"), self.ids(resource_id="r3")), (self.usage(), self.ids()))


class ConcurrentRetryMySQLTest(ConcurrentRetrySQLiteTest):
    BACKEND = databases.MYSQL


class ConcurrentRetryPostgreSQLTest(ConcurrentRetrySQLiteTest):
    BACKEND = databases.POSTGRESQL


class KilledRetryTest(RejectedSamplesTestCase):
    BACKEND = databases.MYSQL

    def test_kill_at_any_statement_loses_nothing(self) -> None:
        point = 1
        # Every other point: a statement has three.
        while self.retry(point) == -signal.SIGKILL:
            with self.subTest(point=point):
                self.assert_nothing_lost()
                self.assertEqual(1, self.retry())
                self.assertEqual(self.expected("p1", windows=WINDOWS[:1]), self.usage())
                kept = self.ids(tenant_id="p1", start=START)
                self.assertEqual(self.ids(tenant_id="p1", start=START, resource_id="r3"), kept)
            self.clear()
            self.fill()
            point += 2
        self.assertGreater(point, 50)

    def assert_nothing_lost(self) -> None:
        """Each resource of each window either is billed, without rejected samples, or still has them."""
        for entry in self.expected("p1", windows=WINDOWS[:1]):
            kept = self.ids(tenant_id="p1", resource_id=entry[2], start=entry[4])
            self.assertNotEqual(bool(kept), entry in self.usage())

    def retry(self, point: int | None = None) -> int:
        arguments = ["--config-file", str(self.config), "rejected", "retry", "--project", "p1"]
        arguments += ["--end", WINDOWS[0].end.isoformat()]
        return commands.run("distil-manage", *arguments, kill_at=point).returncode
