# SPDX-License-Identifier: Apache-2.0
"""Runs with a driver that reads a period of all projects at once."""

import datetime
import signal
import unittest

import sqlalchemy as sa

from distil.db import models
from distil.tests.support.file_site import FileSite
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR


class SnapshotRunTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(FileSite(projects=3, resources=1))
        self.projects = self.site.cloud.projects.enabled_ids
        self.starts = [self.site.start + number * HOUR for number in range(3)]
        self.samples = [self.sample(project_id, start) for project_id in self.projects for start in self.starts]
        self.site.use(self.samples)

    def sample(self, project_id: str, start: datetime.datetime) -> dict[str, object]:
        time = start + datetime.timedelta(minutes=10)
        return self.site.sample(project_id, "m1", id=f"{project_id}{start}", timestamp=time.isoformat())

    def problems(self, log: str) -> list[str]:
        """Return the lines that are not of INFO."""
        return [line for line in log.splitlines() if " INFO " not in line]

    def billed(self) -> set[tuple[str, datetime.datetime]]:
        return {(entry.project_id, entry.start) for entry in self.site.usage()}

    def all_of(self, *starts: datetime.datetime) -> set[tuple[str, datetime.datetime]]:
        return {(project_id, start) for project_id in self.projects for start in starts}

    def test_each_period_is_read_once_for_all(self) -> None:
        self.assertEqual([], self.problems(self.site.collect()))
        self.assertEqual(self.starts, self.site.reads())
        self.assertEqual(self.all_of(*self.starts), self.billed())

    def test_incomplete_window_waits_for_all_projects(self) -> None:
        """What was before it is collected, and the line about it is the only one."""
        self.site.use(self.samples, incomplete=[self.starts[1].isoformat()])
        (problem,) = self.problems(self.site.collect(status=1))
        # Those of the cloud, and the collector's own.
        number = len(self.projects) + 1
        self.assertRegex(problem, rf"ERROR .* {number} projects failed, retrying in the next run: .*: not all is there")
        self.assertEqual(self.starts[:2], self.site.reads())
        self.assertEqual(self.all_of(self.starts[0]), self.billed())
        self.site.use(self.samples)
        self.assertEqual([], self.problems(self.site.collect()))
        self.assertEqual(self.all_of(*self.starts), self.billed())

    def test_incomplete_first_window_fails_run_in_one_line(self) -> None:
        self.site.use(self.samples, incomplete=[self.starts[0].isoformat()])
        (problem,) = self.problems(self.site.collect(status=1))
        self.assertIn("no window was committed", problem)
        self.assertIn("not all is there", problem)
        self.assertEqual(self.starts[:1], self.site.reads())

    def test_window_within_lag_is_not_due(self) -> None:
        self.site.use_driver(driver={"lag": 7200})
        self.site.collect(status=1)
        self.assertEqual(self.starts[:2], self.site.reads())
        self.assertEqual(self.all_of(*self.starts[:2]), self.billed())

    def test_malformed_project_fails_alone(self) -> None:
        victim, *others = self.projects
        self.site.use(self.samples, malformed=[victim])
        log = self.site.collect(self.site.start + HOUR, status=1)
        self.assertRegex(log, rf"Project {victim} .* failed, retrying in the next run: file: its samples are malformed")
        self.assertEqual({(project_id, self.starts[0]) for project_id in others}, self.billed())
        self.assertEqual(self.starts[:1], self.site.reads())

    def test_failed_read_is_repeated(self) -> None:
        self.site.use(self.samples, failing_reads=2)
        self.site.collect(self.site.start + HOUR)
        self.assertEqual(3 * self.starts[:1], self.site.reads())
        self.assertEqual(self.all_of(self.starts[0]), self.billed())

    def test_shutdown_waits_for_no_read(self) -> None:
        """One thread reads for minutes, and all others wait for it."""
        self.site.use(self.samples, read_seconds=600)
        collector = self.site.collector()
        wait_for(self.site.reads)
        leases = sa.select(sa.func.count()).select_from(models.project_locks)
        # The first thread reads while the others still claim their projects.
        wait_for(lambda: [(len(self.projects) + 1,)] == [tuple(row) for row in self.site.rows(leases)])
        collector.send_signal(signal.SIGTERM)
        output, _ = collector.communicate(timeout=30)
        self.assertEqual((0, 1), (collector.returncode, len(self.site.reads())), output)
        self.assertEqual([(0,)], [tuple(row) for row in self.site.rows(leases)])

    def test_failing_service_is_read_three_times(self) -> None:
        self.site.use(self.samples, failing_reads=99)
        *_, last = self.problems(self.site.collect(status=1))
        self.assertIn("no window was committed", last)
        self.assertEqual(3 * self.starts[:1], self.site.reads())
