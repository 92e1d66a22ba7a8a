# SPDX-License-Identifier: Apache-2.0
"""The ring: every project has one member, and another one when that leaves, dies or is forgotten."""

import pathlib
import socket
import tempfile
import time
import unittest

from distil import exceptions
from distil.coordination.membership import HashRingMember
from distil.coordination.membership import backend_url_error
from distil.tests.support import coordination_backends
from distil.tests.support.site import free_port
from distil.tests.support.site import wait_for

LIMIT = 5.0
PROJECTS = [f"{number:032x}" for number in range(300)]


class _HashRingCase(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.url = self.start_backend()

    def start_backend(self) -> str:
        raise NotImplementedError

    def ring(self, member: str, group: str = "group") -> HashRingMember:
        ring = HashRingMember(self.url, group, member, LIMIT)
        self.addCleanup(ring.leave_group)
        ring.refresh()
        return ring

    def shares(self, *rings: HashRingMember) -> list[set[str]]:
        for ring in rings:
            ring.refresh()
        return [{project_id for project_id in PROJECTS if ring.belongs_to_self(project_id)} for ring in rings]

    def assert_shared(self, *rings: HashRingMember) -> None:
        shares = self.shares(*rings)
        self.assertEqual(set(PROJECTS), set.union(*shares))
        self.assertEqual(len(PROJECTS), sum(map(len, shares)))
        for share in shares:
            self.assertGreater(len(share), len(PROJECTS) / len(rings) / 2)


class _Cases:
    class HashRingTest(_HashRingCase):
        def test_single_member_owns_all_projects(self) -> None:
            self.assert_shared(self.ring("a"))

        def test_each_project_has_one_owner(self) -> None:
            self.assert_shared(self.ring("a"), self.ring("b"), self.ring("c"))

        def test_groups_are_independent(self) -> None:
            one, other = self.ring("a"), self.ring("b", group="other")
            self.assertEqual([set(PROJECTS)] * 2, self.shares(one, other))

        def test_leave_reassigns_projects_immediately(self) -> None:
            leaver, *others = self.ring("a"), self.ring("b"), self.ring("c")
            kept = self.shares(*others)
            leaver.leave_group()
            self.assert_shared(*others)
            for before, after in zip(kept, self.shares(*others), strict=True):
                self.assertLess(before, after)

        def test_silent_members_projects_are_reassigned(self) -> None:
            silent, *others = self.ring("a"), self.ring("b"), self.ring("c")
            self.silence(silent)
            self.assertLess(sum(map(len, self.shares(*others))), len(PROJECTS))
            wait_for(lambda: sum(map(len, self.shares(*others))) == len(PROJECTS), 10 * coordination_backends.HEARTBEAT)
            self.assert_shared(*others)

        def test_expired_member_rejoins(self) -> None:
            silent, other = self.ring("a"), self.ring("b")
            self.silence(silent)
            wait_for(lambda: self.shares(other) == [set(PROJECTS)], 10 * coordination_backends.HEARTBEAT)
            self.assert_shared(silent, other)

        def test_membership_outlives_heartbeat_interval(self) -> None:
            rings = self.ring("a"), self.ring("b")
            shares = self.shares(*rings)
            time.sleep(2 * coordination_backends.HEARTBEAT)
            self.assertEqual(shares, self.shares(*rings))

        def silence(self, ring: HashRingMember) -> None:
            """As if the process were stopped."""
            assert ring._joined is not None
            ring._joined._heart.stop()


class FileHashRingTest(_Cases.HashRingTest):
    def start_backend(self) -> str:
        return f"file://{self.folder}?timeout={coordination_backends.HEARTBEAT}"


class RedisHashRingTest(_Cases.HashRingTest):
    def start_backend(self) -> str:
        self.redis = coordination_backends.Redis(self.folder)
        self.addCleanup(self.redis.stop)
        return self.redis.url

    def test_members_rejoin_after_data_loss(self) -> None:
        rings = self.ring("a"), self.ring("b")
        self.redis.stop()
        for ring in rings:
            with self.assertRaises(exceptions.CoordinationError):
                ring.refresh()
        self.redis.start()
        self.shares(*rings)
        self.assert_shared(*rings)

    def test_leave_returns_during_backend_outage(self) -> None:
        ring = self.ring("a")
        self.redis.stop()
        started = time.monotonic()
        ring.leave_group()
        self.assertLess(time.monotonic() - started, 10)

    def test_error_hides_password(self) -> None:
        self.url = self.redis.url.replace("secret-word", "wrong-word")
        with self.assertRaises(exceptions.CoordinationError) as caught:
            self.ring("a")
        self.assertNotIn("wrong-word", str(caught.exception))

    def test_unresponsive_backend_times_out(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.url = f"redis://127.0.0.1:{server.getsockname()[1]}"
            with self.assertRaisesRegex(exceptions.CoordinationError, "no answer in 5 seconds"):
                self.ring("a")

    def test_join_after_timeout_leaves_group(self) -> None:
        """The backend is stopped while the ring joins, and goes on later."""
        other = self.ring("b")
        self.redis.pause()
        self.url = self.url.replace(f"timeout={coordination_backends.HEARTBEAT}", "timeout=60")
        with self.assertRaisesRegex(exceptions.CoordinationError, "no answer in 5 seconds"):
            self.ring("a")
        with self.assertLogs("distil.coordination.membership", "INFO") as logs:
            self.redis.resume()
            wait_for(lambda: any("a is one of 2 members" in line for line in logs.output))
        wait_for(lambda: self.shares(other) == [set(PROJECTS)], 30)


class CoordinationBackendTest(unittest.TestCase):
    def test_unreachable_backend_times_out(self) -> None:
        ring = HashRingMember(f"redis://127.0.0.1:{free_port()}", "group", "a", LIMIT)
        started = time.monotonic()
        with self.assertRaisesRegex(exceptions.CoordinationError, "no answer in 5 seconds"):
            ring.refresh()
        ring.leave_group()
        self.assertLess(time.monotonic() - started, 30)

    def test_unusable_url_is_rejected(self) -> None:
        for url, reason in (
            ("rediss-cluster://h", "tooz has no driver 'rediss-cluster'"),
            ("nonsense", "tooz has no driver ''"),
            ("redis://:pass/word@h", "no URL that a driver of tooz can read"),
            ("mysql://u:p@h/d", "tooz's driver 'mysql' has no groups"),
        ):
            with self.subTest(url):
                found = backend_url_error(url) or ""
                self.assertIn(reason, found)
                self.assertNotIn("word", found)

    def test_usable_url_is_accepted(self) -> None:
        for url in ("redis://h:6379?timeout=5", "redis://:password@h", "file:///tmp/x"):
            with self.subTest(url):
                self.assertIsNone(backend_url_error(url))
