# SPDX-License-Identifier: Apache-2.0
"""Every request ends at its deadline, however slowly its response arrives."""

import gc
import itertools
import os
import pathlib
import tempfile
import threading
import time
import unittest
import warnings
from collections.abc import Iterator
from unittest import mock

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from distil import exceptions
from distil.cloud import adapter
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.cloud.response_limits import ResponseLimits
from distil.telemetry.client import CeilometerClient
from distil.tests.support.certificates import Authority
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site
from distil.tests.support.slow_server import SLOW_RESPONSES
from distil.tests.support.slow_server import SlowServer

LIMIT = 1.0
MEBIBYTE = 1024 * 1024
# Seconds that a busy test machine may add.
GRACE = 4.0
MESSAGE = f"not complete after {LIMIT:g} seconds"


def limited(url: str, verify: bool | str = True, limit: float = LIMIT) -> ks_session.Session:
    session = ks_session.Session(auth=token_endpoint.Token(url, "token"), timeout=30, verify=verify)
    adapter.mount_adapter(session, ResponseLimits(limit, MEBIBYTE))
    return session


def sockets() -> set[str]:
    """The open sockets of this process."""
    found = set()
    for entry in pathlib.Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:  # the descriptor of the directory itself
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


class RequestDeadlineTest(unittest.TestCase):
    def assert_ends_in_time(self, session: ks_session.Session, url: str, message: str = MESSAGE) -> None:
        started = time.monotonic()
        with self.assertRaisesRegex(ks_exceptions.ClientException, message):
            session.get(url)
        self.assertLess(time.monotonic() - started, LIMIT + GRACE)

    def test_slow_response_raises_at_deadline(self) -> None:
        for name, pieces in SLOW_RESPONSES.items():
            with self.subTest(name), SlowServer(pieces) as server:
                self.assert_ends_in_time(limited(server.url), server.url)

    def test_slow_tls_response_raises_at_deadline(self) -> None:
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        authority = Authority(folder)
        certificate = authority.issue()
        for name, pieces in SLOW_RESPONSES.items():
            with self.subTest(name), SlowServer(pieces, certificate=certificate) as server:
                self.assert_ends_in_time(limited(server.url, str(authority.file)), server.url)

    def test_reused_connection_gets_full_deadline(self) -> None:
        with SlowServer(SLOW_RESPONSES["body"], complete=2) as server:
            session = limited(server.url)
            for _ in range(2):
                self.assertEqual([], session.get(server.url).json())
                time.sleep(LIMIT * 0.7)
            started = time.monotonic()
            self.assert_ends_in_time(session, server.url)
            self.assertGreater(time.monotonic() - started, LIMIT * 0.9)
            self.assertEqual(1, server.connections)

    def test_slow_proxy_response_raises_at_deadline(self) -> None:
        for scheme in ("http", "https"):
            with self.subTest(scheme), SlowServer(SLOW_RESPONSES["headers"]) as proxy:
                environment = {f"{scheme}_proxy": proxy.url, "no_proxy": "", "NO_PROXY": ""}
                with mock.patch.dict(os.environ, environment):
                    self.assert_ends_in_time(limited(proxy.url), f"{scheme}://keystone.invalid/v3")
                self.assertEqual(1, proxy.connections)

    def test_slow_tls_handshake_times_out(self) -> None:
        def records() -> Iterator[bytes]:
            yield b"\x16\x03\x03\x40\x00"
            yield from itertools.repeat(b"\x00")

        with SlowServer(records, greet=True) as server:
            session = limited(server.url.replace("http:", "https:"))
            session.timeout = LIMIT
            self.assert_ends_in_time(session, server.url.replace("http:", "https:"), "timed out")

    def test_leaks_no_sockets_or_threads(self) -> None:
        with SlowServer(SLOW_RESPONSES["body"]) as server:
            session = limited(server.url, limit=0.2)
            before = sockets(), threading.active_count()
            with warnings.catch_warnings():
                warnings.simplefilter("error", ResourceWarning)
                for _ in range(50):
                    self.assertRaises(ks_exceptions.ClientException, session.get, server.url)
                gc.collect()
            self.assertEqual(50, server.connections)
        self.assertEqual(set(), sockets() - before[0])
        self.assertLessEqual(threading.active_count(), before[1])

    def test_clients_translate_exceeded_deadline(self) -> None:
        with SlowServer(SLOW_RESPONSES["body"]) as server:
            session = limited(server.url)
            with self.assertRaisesRegex(exceptions.TelemetryError, MESSAGE):
                CeilometerClient(session, None, "public").list_samples("GET", "/v2/samples", "a test")
            cloud = Connection(session, None, "public")
            with self.assertRaises(exceptions.LookupUnavailable):
                cloud_lookups(cloud).flavors.get("1")
            with self.assertRaises(exceptions.IdentityError):
                KeystoneProjects(cloud).enabled()


class CollectorDeadlineTest(unittest.TestCase):
    """The time limit of a collector's session, which depends on its time-out."""

    def test_slow_telemetry_fails_only_its_project(self) -> None:
        site = self.enterContext(Site(projects=2, resources=1))
        slow, other = site.cloud.projects.enabled_ids[:2]
        site.cloud.add_fault("metering", "slow", project_id=slow, seconds=18)
        site.configure({"timeout": 1.5})
        started = time.monotonic()
        output = site.collect(site.start + HOUR, status=1)
        self.assertLess(time.monotonic() - started, 100)
        self.assertIn("not complete after 7.5 seconds", output)
        self.assertEqual([], site.usage(tenant_id=slow))
        self.assertTrue(site.usage(tenant_id=other))

    def test_slow_keystone_fails_run(self) -> None:
        site = self.enterContext(Site(projects=1))
        site.cloud.add_fault("identity", "slow", path="/projects", seconds=18)
        site.configure({"timeout": 1.5})
        self.assertIn("not complete after 7.5 seconds", site.collect(status=1))
