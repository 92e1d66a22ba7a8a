# SPDX-License-Identifier: Apache-2.0
"""``usage recollect`` killed at every statement, and several at once beside a collector: on both kinds of server."""

import collections
import contextlib
import signal
import subprocess
import unittest
from typing import Any

import sqlalchemy as sa

from distil import digest
from distil import model
from distil.db import models
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support.site import HOUR
from distil.tests.support.site import Entry
from distil.tests.support.site import Site

METER = "traffic.inbound.national"
# The harness in the folder faults kills a command at all points. Here, at some of each transaction.
STEP = 17


class RecollectFaultsPostgreSQLTest(unittest.TestCase):
    BACKEND = databases.POSTGRESQL

    def setUp(self) -> None:
        self.site = self.enterContext(Site(self.BACKEND, projects=2, resources=1))
        self.project = self.site.cloud.projects.enabled_ids[0]
        self.site.collect(self.site.start + 2 * HOUR)
        self.before = self.site.usage()
        for hour in range(2):
            # One replaces an entry, the other is of a resource that had none.
            for resource_id in ("late", self.first_sample()["resource_id"]):
                self.add(hour, resource_id)
        arguments = ("--end", self.site.end.isoformat(), "--reason", "samples came late")
        self.arguments = ("usage", "recollect", "--all", "--start", self.site.start.isoformat(), *arguments)
        self.after = self.fresh_usage()

    def first_sample(self) -> dict[str, Any]:
        return self.site.samples(self.project, METER)[0]

    def add(self, hour: int, resource_id: str) -> None:
        moment = self.site.start + hour * HOUR + HOUR / 3
        values: dict[str, Any] = {"volume": 7, "resource_id": resource_id, "unit": "B"}
        values |= {"timestamp": moment.replace(tzinfo=None).isoformat(), "source": self.first_sample()["source"]}
        self.site.cloud.add_samples(self.project, METER, [self.site.sample(self.project, METER, **values)])

    def fresh_usage(self) -> list[Entry]:
        """Return what a collector stores that finds all samples."""
        with Site(cloud=self.site.cloud) as fresh:
            fresh.collect(self.site.start + 2 * HOUR)
            return fresh.usage()

    def test_kill_at_any_statement_leaves_windows_whole(self) -> None:
        killed, point = 0, 1
        while self.recollect(point) == -signal.SIGKILL:
            self.assert_windows_are_whole()
            killed, point = killed + 1, point + STEP
        self.assertGreater(killed, 5)
        self.assert_done(self.after)

    def test_two_commands_beside_collector_are_safe(self) -> None:
        command = [manage.PROGRAM, "--config-file", str(self.site.config), *self.arguments]
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(_start(command)) for _ in range(2)]
            self.site.collect()
            outputs = [process.communicate(timeout=120)[1] for process in processes]
        self.assertEqual([0, 0], [process.returncode for process in processes], outputs)
        self.assertEqual(0, self.recollect())
        with Site(cloud=self.site.cloud) as fresh:
            fresh.collect()
            self.assert_done(fresh.usage())

    def recollect(self, point: int | None = None) -> int:
        command = ("--config-file", str(self.site.config), *self.arguments)
        return commands.run("distil-manage", *command, kill_at=point).returncode

    def assert_windows_are_whole(self) -> None:
        stored = _by_window(self.site.usage())
        before, after = _by_window(self.before), _by_window(self.after)
        for key, entries in stored.items():
            self.assertIn(entries, (before[key], after[key]))
        self.assert_receipts()

    def assert_done(self, usage: list[Entry]) -> None:
        self.assertEqual(usage, self.site.usage())
        self.assert_receipts()
        revisions = [row.revision for row in self.site.rows(sa.select(models.receipts)) if row.revision]
        self.assertEqual([1, 1], revisions)
        history = self.site.rows(sa.select(models.usage_history))
        replaced = {entry for entry in self.before if entry not in usage}
        self.assertEqual(len(replaced), len(history))
        columns = ("tenant_id", "service", "resource_id", "unit", "volume", "start", "end")
        self.assertEqual(replaced, {Entry(*(getattr(row, name) for name in columns)) for row in history})

    def assert_receipts(self) -> None:
        """Each is that of the window's usage, and the earlier ones are in the history."""
        stored = _by_window(self.site.usage())
        kept = collections.Counter(
            (row.tenant_id, row.start) for row in self.site.rows(sa.select(models.receipt_history))
        )
        for row in self.site.rows(sa.select(models.receipts)):
            key = row.tenant_id, row.start
            usage = [model.Usage(entry.service, entry.resource_id, entry.unit, entry.volume) for entry in stored[key]]
            self.assertEqual((digest.usage_digest(usage), row.revision), (row.usage_digest, kept[key]))


def _by_window(entries: list[Entry]) -> dict[tuple[str, object], list[Entry]]:
    found: dict[tuple[str, object], list[Entry]] = collections.defaultdict(list)
    for entry in entries:
        found[entry.project_id, entry.start].append(entry)
    return found


def _start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class RecollectFaultsMySQLTest(RecollectFaultsPostgreSQLTest):
    BACKEND = databases.MYSQL
