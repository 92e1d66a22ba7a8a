# SPDX-License-Identifier: Apache-2.0
"""A failed authentication raises an error instead of a deadlock."""

import threading
import unittest

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.factory.session import load_session
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import Response
from distil.tests.unit.factory.test_session import GOOD
from distil.tests.unit.factory.test_session import read


class AuthRecursionTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = self.enterContext(CloudServer({"/identity/v3/projects": Response({"projects": []})}))
        section = {**GOOD, "password": PASSWORD, "auth_url": f"{self.cloud.url}/identity/v3", "timeout": "5"}
        self.session = load_session(read(section))
        self.projects = KeystoneProjects(Connection(self.session, None, "public"))
        self.versions = self.cloud.responses["/identity/v3"]

    def refuse_versions(self) -> None:
        self.cloud.responses["/identity/v3"] = Response({"error": {}}, status=401)

    def failure(self) -> str:
        """The error message; the request runs in a daemon thread, so that a deadlock does not block the tests."""
        failures = []

        def list_projects() -> None:
            try:
                self.projects.enabled()
            except exceptions.IdentityError as error:
                failures.append(str(error))

        thread = threading.Thread(target=list_projects, daemon=True)
        thread.start()
        thread.join(30)
        self.assertFalse(thread.is_alive(), "deadlock")
        return "".join(failures)

    def test_unauthorized_version_discovery_raises(self) -> None:
        self.refuse_versions()
        self.assertIn("401", self.failure())

    def test_failure_recurs_until_keystone_recovers(self) -> None:
        self.refuse_versions()
        for _ in range(2):
            self.assertIn("401", self.failure())
        self.cloud.responses["/identity/v3"] = self.versions
        self.assertEqual("", self.failure())

    def test_endpoint_lookup_raises_without_hanging(self) -> None:
        self.refuse_versions()
        done = threading.Event()

        def find_endpoint() -> None:
            with self.assertRaises(Exception):  # noqa: B017 - any of keystoneauth's
                self.session.get_endpoint(service_type="metering")
            done.set()

        threading.Thread(target=find_endpoint, daemon=True).start()
        self.assertTrue(done.wait(30), "deadlock")
