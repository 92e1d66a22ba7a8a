# SPDX-License-Identifier: Apache-2.0
"""Several collector processes with one scope: killed, terminated, paused, and one that collects nothing."""

import datetime
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

import sqlalchemy as sa

from distil.coordination.membership import HashRingMember
from distil.db import models
from distil.tests.support import coordination_backends
from distil.tests.support import databases
from distil.tests.support.processes import children
from distil.tests.support.processes import free_port
from distil.tests.support.processes import kill
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Entry
from distil.tests.support.site import Site

LONG_AGO = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def expected_usage(test: unittest.TestCase, site: Site) -> list[Entry]:
    """Returns the usage that a single collector stores."""
    single = test.enterContext(Site(cloud=site.cloud))
    single.collect()
    return single.usage()


def leases(site: Site) -> dict[str, str]:
    table = models.project_locks
    return dict(tuple(row) for row in site.rows(sa.select(table.c.project_id, table.c.owner)))


def let_expire(site: Site) -> None:
    """Sets the expiry of all leases to the past."""
    with site.engine.begin() as connection:
        connection.execute(sa.update(models.project_locks).values(expires=LONG_AGO))


class _Backends:
    class CollectorLeasesTest(unittest.TestCase):
        """The first request to the telemetry service gets no response until the faults are cleared."""

        BACKEND: str

        def setUp(self) -> None:
            self.site = self.enterContext(Site(self.BACKEND))
            self.expected = expected_usage(self, self.site)
            self.site.configure(concurrency=1)
            self.site.cloud.add_fault("metering", "timeout", times=1)
            before = self.site.cloud.requests.total("metering")
            self.collector = self.site.collector()
            wait_for(lambda: self.site.cloud.requests.total("metering") > before)
            (self.project_id,) = leases(self.site)

        def test_owner_names_host_process_and_collector(self) -> None:
            host, pid, start, name = leases(self.site)[self.project_id].split(":")
            self.assertEqual((os.uname().nodename, "default"), (host, name))
            self.assertIn(int(pid), children(self.collector.pid))
            self.assertRegex(start, "^[0-9]+-[0-9a-f]{12}$")

        def test_killed_process_delays_no_successor(self) -> None:
            kill(self.collector)
            self.assertEqual({self.project_id}, set(leases(self.site)))
            killed = time.monotonic()
            self.assertIn("is of a process that died and is taken over", self.site.collect())
            self.assertLess(time.monotonic() - killed, 20)
            self.assertEqual(self.expected, self.site.usage())
            self.assertEqual({}, leases(self.site))

        def test_expired_lease_is_taken_over(self) -> None:
            kill(self.collector)
            with self.site.engine.begin() as connection:
                # Of which this host cannot know that it is dead.
                connection.execute(sa.update(models.project_locks).values(owner="other-host:1:1-000000000000:default"))
            self.assertIn(self.project_id, leases(self.site))
            other = self.site.collector("--collect-end-time", self.site.end.isoformat())
            ids = set(self.site.last_collected()) - {self.project_id}
            wait_for(lambda: {self.site.last_collected()[project_id] for project_id in ids} == {self.site.end})
            self.assertIsNone(other.poll())
            self.assertEqual(self.site.start, self.site.last_collected()[self.project_id])
            let_expire(self.site)
            output, _ = other.communicate(timeout=60)
            self.assertEqual(0, other.returncode, output)
            self.assertIn("has expired and is taken over", output)
            self.assertEqual(self.expected, self.site.usage())
            self.assertEqual({}, leases(self.site))

        def test_sigterm_releases_leases(self) -> None:
            self.collector.send_signal(signal.SIGTERM)
            self.assertEqual(0, self.collector.wait(30))
            self.assertEqual({}, leases(self.site))
            self.site.collect()
            self.assertEqual(self.expected, self.site.usage())

        def test_paused_collector_commits_nothing_twice(self) -> None:
            (child,) = children(self.collector.pid)
            os.kill(child, signal.SIGSTOP)
            try:
                let_expire(self.site)
                self.site.collect()
                self.site.cloud.faults.clear()
            finally:
                os.kill(child, signal.SIGCONT)
            self.wait_for_output("Run of collector")
            self.assertEqual(self.expected, self.site.usage())
            self.assertEqual({}, leases(self.site))

        def wait_for_output(self, text: str) -> None:
            assert self.collector.stdout is not None
            for line in self.collector.stdout:
                if text in line:
                    return
            self.fail(f"{text!r} not in the output of the collector")


class SQLiteLeasesTest(_Backends.CollectorLeasesTest):
    BACKEND = databases.SQLITE


class MariaDBLeasesTest(_Backends.CollectorLeasesTest):
    BACKEND = databases.MYSQL


class PostgreSQLLeasesTest(_Backends.CollectorLeasesTest):
    BACKEND = databases.POSTGRESQL


class LegacyLockTest(unittest.TestCase):
    def test_expired_lock_is_taken_over(self) -> None:
        site = self.enterContext(Site())
        row = {"project_id": site.cloud.projects.enabled_ids[0], "owner": "host-1", "created": LONG_AGO}
        with site.engine.begin() as connection:
            connection.execute(sa.insert(models.project_locks), row)
        self.assertIn("the lease of host-1 has expired and is taken over", site.collect())


class CollectorHashRingTest(unittest.TestCase):
    """Members with a run every few seconds, of one window each."""

    INTERVAL = 2 * coordination_backends.HEARTBEAT

    def setUp(self) -> None:
        self.site = self.enterContext(Site(databases.MYSQL, projects=12, resources=1))
        self.expected = expected_usage(self, self.site)
        self.redis = coordination_backends.Redis(self.site.folder)
        self.addCleanup(self.redis.stop)
        self.configure(self.redis.url)

    def configure(self, url: str) -> None:
        self.site.configure(max_windows_per_cycle=1, periodic_interval=self.INTERVAL)
        with self.site.config.open("a") as file:
            file.write(f"[coordination]\nbackend_url = {url}\n")

    def start(self, name: str) -> subprocess.Popen[str]:
        return self.site.collector("--log-file", str(self.log(name)))

    def log(self, name: str) -> pathlib.Path:
        return self.site.folder / f"{name}.log"

    def read_log(self, name: str) -> str:
        return self.log(name).read_text() if self.log(name).exists() else ""

    def committed(self, name: str) -> list[int]:
        """Returns the number of windows committed in each run."""
        return [int(count) for count in re.findall(r": (\d+) windows? committed", self.read_log(name))]

    def wait_until_collected(self, hours: int) -> None:
        ids = set(self.site.cloud.projects.enabled_ids)
        wait_for(
            lambda: all(
                self.site.last_collected().get(project_id, LONG_AGO) >= self.site.start + hours * HOUR
                for project_id in ids
            ),
            120,
        )

    def test_killed_members_projects_are_reassigned(self) -> None:
        collectors = {name: self.start(name) for name in "abc"}
        self.wait_until_collected(1)
        kill(collectors["a"])
        self.wait_until_collected(3)
        self.assertEqual(self.expected, self.site.usage())
        for name in "bc":
            with self.subTest(name):
                self.assertTrue(any(self.committed(name)))
                # The ring reassigned the projects; they were not orphaned.
                self.assertNotIn("taking it over", self.read_log(name))
                self.assertNotIn("ventlet", self.read_log(name))

    def test_idle_members_projects_are_taken_over(self) -> None:
        collector = self.start("a")
        self.join_idle()
        self.wait_until_collected(3)
        self.assertEqual(self.expected, self.site.usage())
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, collector.wait(30))
        self.assertIn("its hash ring member does not collect it", self.read_log("a"))

    def test_backend_outage_falls_back_to_leases(self) -> None:
        for name in "ab":
            self.start(name)
        self.wait_until_collected(1)
        self.redis.stop()
        self.wait_until_collected(2)
        self.redis.start()
        self.wait_until_collected(3)
        self.assertEqual(self.expected, self.site.usage())
        logs = self.read_log("a") + self.read_log("b")
        self.assertNotIn("secret-word", logs)

    def test_run_until_end_time_ignores_ring(self) -> None:
        self.start("a")
        self.join_idle()
        self.assertNotIn("joined group", self.site.collect())
        self.assertGreaterEqual(min(self.site.last_collected().values()), self.site.end)
        self.assertEqual(self.expected, self.site.usage())

    def join_idle(self) -> None:
        """Joins the collector's group with a member that collects nothing."""
        wait_for(lambda: "(members: 1)" in self.read_log("a"))
        group = re.search(r"joined group (\S+) \(members: 1\)$", self.read_log("a"), re.MULTILINE)
        assert group is not None
        idle = HashRingMember(self.redis.url, group[1], "idle")
        self.addCleanup(idle.leave_group)
        idle.refresh()


class CoordinationBackendTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def configure(self, url: str) -> None:
        with self.site.config.open("a") as file:
            file.write(f"[coordination]\nbackend_url = {url}\n")

    def test_unusable_url_exits_with_1(self) -> None:
        self.configure("reddis://:secret-word@127.0.0.1")
        output = self.site.collect(status=1)
        self.assertIn("[coordination] backend_url: tooz has no driver 'reddis'", output)
        self.assertNotIn("secret-word", output)

    def test_unreachable_backend_falls_back_to_leases(self) -> None:
        self.configure(f"redis://:secret-word@127.0.0.1:{free_port()}")
        log = self.site.folder / "collector.log"
        self.site.collector("--log-file", str(log))
        wait_for(lambda: min(self.site.last_collected().values(), default=self.site.start) == self.site.end)
        self.assertIn("partitioning projects by database leases until the next run", log.read_text())
        self.assertNotIn("secret-word", log.read_text())
