# SPDX-License-Identifier: Apache-2.0
"""The hash ring: every project has one owner, and gets another when that leaves, dies or expires."""

import pathlib
import socket
import socketserver
import tempfile
import threading
import time
import unittest

from distil import exceptions
from distil.coordination.backend import backend_url_error
from distil.coordination.backend import require_backend
from distil.coordination.membership import HashRingMember
from distil.tests.support import coordination_backends
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for

TIMEOUT_SECONDS = 5.0
# Where no response is expected.
SHORT_TIMEOUT_SECONDS = 1.0
PROJECTS = [f"{number:032x}" for number in range(300)]


class _HashRingCase(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.url = self.start_backend()

    def start_backend(self) -> str:
        raise NotImplementedError

    def join(self, name: str, group: str = "group", timeout: float = TIMEOUT_SECONDS) -> HashRingMember:
        member = HashRingMember(self.url, group, name, timeout)
        self.addCleanup(member.leave_group)
        member.refresh()
        return member

    def owned_projects(self, *members: HashRingMember) -> list[set[str]]:
        for member in members:
            member.refresh()
        return [{project_id for project_id in PROJECTS if member.belongs_to_self(project_id)} for member in members]

    def assert_partitioned(self, *members: HashRingMember) -> None:
        shares = self.owned_projects(*members)
        self.assertEqual(set(PROJECTS), set.union(*shares))
        self.assertEqual(len(PROJECTS), sum(map(len, shares)))
        for share in shares:
            self.assertGreater(len(share), len(PROJECTS) / len(members) / 2)


class _Cases:
    class HashRingTest(_HashRingCase):
        def test_single_member_owns_all_projects(self) -> None:
            self.assert_partitioned(self.join("a"))

        def test_each_project_has_one_owner(self) -> None:
            self.assert_partitioned(self.join("a"), self.join("b"), self.join("c"))

        def test_groups_are_independent(self) -> None:
            first, second = self.join("a"), self.join("b", group="other")
            self.assertEqual([set(PROJECTS)] * 2, self.owned_projects(first, second))

        def test_leave_reassigns_projects_immediately(self) -> None:
            leaver, *others = self.join("a"), self.join("b"), self.join("c")
            kept = self.owned_projects(*others)
            leaver.leave_group()
            self.assert_partitioned(*others)
            for before, after in zip(kept, self.owned_projects(*others), strict=True):
                self.assertLess(before, after)

        def test_silent_members_projects_are_reassigned(self) -> None:
            silent, *others = self.join("a"), self.join("b"), self.join("c")
            self.silence(silent)
            self.assertLess(sum(map(len, self.owned_projects(*others))), len(PROJECTS))
            wait_for(
                lambda: sum(map(len, self.owned_projects(*others))) == len(PROJECTS),
                10 * coordination_backends.HEARTBEAT,
            )
            self.assert_partitioned(*others)

        def test_expired_member_rejoins(self) -> None:
            silent, other = self.join("a"), self.join("b")
            self.silence(silent)
            wait_for(lambda: self.owned_projects(other) == [set(PROJECTS)], 10 * coordination_backends.HEARTBEAT)
            self.assert_partitioned(silent, other)

        def test_membership_outlives_heartbeat_interval(self) -> None:
            members = self.join("a"), self.join("b")
            shares = self.owned_projects(*members)
            time.sleep(2 * coordination_backends.HEARTBEAT)
            self.assertEqual(shares, self.owned_projects(*members))

        def silence(self, member: HashRingMember) -> None:
            """Stops the heartbeats, as when the process is stopped."""
            assert member._session is not None
            member._session._heartbeat.stop()


class _LateRefusal(socketserver.BaseRequestHandler):
    """Refuses every command of Redis, the first one of a connection after the client has lost patience."""

    def handle(self) -> None:
        time.sleep(SHORT_TIMEOUT_SECONDS + 0.5)
        while self.request.recv(1000):
            self.request.sendall(b"-ERR no such luck\r\n")


class FileHashRingTest(_Cases.HashRingTest):
    def start_backend(self) -> str:
        return f"file://{self.folder}?timeout={coordination_backends.HEARTBEAT}"


class RedisHashRingTest(_Cases.HashRingTest):
    def start_backend(self) -> str:
        self.redis = coordination_backends.Redis(self.folder)
        self.addCleanup(self.redis.stop)
        return self.redis.url

    def test_members_rejoin_after_data_loss(self) -> None:
        members = self.join("a"), self.join("b")
        self.redis.stop()
        for member in members:
            with self.assertRaises(exceptions.CoordinationError):
                member.refresh()
        self.redis.start()
        self.owned_projects(*members)
        self.assert_partitioned(*members)

    def test_leave_returns_during_backend_outage(self) -> None:
        member = self.join("a")
        self.redis.stop()
        started = time.monotonic()
        member.leave_group()
        self.assertLess(time.monotonic() - started, 10)

    def test_error_hides_password(self) -> None:
        self.url = self.redis.url.replace("secret-word", "wrong-word")
        with self.assertRaises(exceptions.CoordinationError) as caught:
            self.join("a")
        self.assertNotIn("wrong-word", str(caught.exception))

    def test_password_is_percent_decoded(self) -> None:
        self.redis.stop()
        self.redis = coordination_backends.Redis(self.folder, password="p@ss:w%rd/?#")
        self.addCleanup(self.redis.stop)
        self.url = self.redis.url
        self.assertIn("p%40ss%3Aw%25rd%2F%3F%23", self.url)
        require_backend(self.url)
        self.assert_partitioned(self.join("a"))

    def test_late_cause_is_in_next_message(self) -> None:
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _LateRefusal) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.shutdown)
            self.url = f"redis://:wrong-word@127.0.0.1:{server.server_address[1]}"
            member = HashRingMember(self.url, "group", "a", SHORT_TIMEOUT_SECONDS)
            self.addCleanup(member.leave_group)
            with self.assertRaisesRegex(exceptions.CoordinationError, "no response within 1 s$"):
                member.refresh()
            wait_for(lambda: member._late_error, 30)
            with self.assertRaisesRegex(exceptions.CoordinationError, "failed after its time-out: .*no such luck"):
                member.refresh()

    def test_unresponsive_backend_times_out(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.url = f"redis://127.0.0.1:{server.getsockname()[1]}"
            with self.assertRaisesRegex(exceptions.CoordinationError, "no response within 1 s"):
                self.join("a", timeout=SHORT_TIMEOUT_SECONDS)

    def test_join_after_timeout_leaves_group(self) -> None:
        """The backend is paused while the member joins, and resumed later."""
        other = self.join("b")
        self.redis.pause()
        self.url = self.url.replace(f"timeout={coordination_backends.HEARTBEAT}", "timeout=60")
        with self.assertRaisesRegex(exceptions.CoordinationError, "no response within 1 s"):
            self.join("a", timeout=SHORT_TIMEOUT_SECONDS)
        with self.assertLogs("distil.coordination.membership", "INFO") as logs:
            self.redis.resume()
            wait_for(lambda: any("a joined group group (members: 2)" in line for line in logs.output))
        wait_for(lambda: self.owned_projects(other) == [set(PROJECTS)], 30)


class CoordinationBackendTest(unittest.TestCase):
    def test_unreachable_backend_times_out(self) -> None:
        member = HashRingMember(f"redis://127.0.0.1:{free_port()}", "group", "a", SHORT_TIMEOUT_SECONDS)
        started = time.monotonic()
        with self.assertRaisesRegex(exceptions.CoordinationError, "no response within 1 s"):
            member.refresh()
        member.leave_group()
        self.assertLess(time.monotonic() - started, 30)

    def test_unusable_url_is_rejected(self) -> None:
        for url, reason in (
            ("rediss-cluster://h", "tooz has no driver 'rediss-cluster'"),
            ("nonsense", "tooz has no driver ''"),
            ("redis://:pass/word@h", "not a valid tooz URL"),
            ("mysql://u:p@h/d", "the tooz driver 'mysql' does not support groups"),
        ):
            with self.subTest(url):
                error = backend_url_error(url) or ""
                self.assertIn(reason, error)
                self.assertNotIn("word", error)

    def test_usable_url_is_accepted(self) -> None:
        for url in ("redis://h:6379?timeout=5", "redis://:password@h", "file:///tmp/x"):
            with self.subTest(url):
                self.assertIsNone(backend_url_error(url))
