# SPDX-License-Identifier: Apache-2.0
"""What an operator reads if Keystone does not respond, or rejects the credentials."""

import unittest

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.factory.session import load_session
from distil.telemetry.ceilometer import CeilometerDriver
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import TOKENS
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import Response
from distil.tests.support.processes import free_port
from distil.tests.unit.factory.test_session import GOOD
from distil.tests.unit.factory.test_session import read


class AuthenticationTest(unittest.TestCase):
    def connection(self, url: str, **options: str) -> Connection:
        section = {**GOOD, "password": PASSWORD, "auth_url": url, "timeout": "1", **options}
        return Connection(load_session(read(section)), None, "public")

    def failure(self, url: str, **options: str) -> str:
        with self.assertRaises(exceptions.IdentityError) as caught:
            KeystoneProjects(self.connection(url, **options)).enabled()
        return str(caught.exception)

    def test_refused_connection_names_keystone(self) -> None:
        for path in ("", "/v3"):
            url = f"http://127.0.0.1:{free_port()}{path}"
            self.assertEqual(f"Keystone at {url} does not respond: Connection refused", self.failure(url))

    def test_other_clients_have_same_reason(self) -> None:
        url = f"http://127.0.0.1:{free_port()}/v3"
        connection = self.connection(url)
        reason = f"Keystone at {url} does not respond: Connection refused"
        with self.assertRaisesRegex(exceptions.LookupUnavailable, f"compute GET /flavors/1: {reason}$"):
            cloud_lookups(connection).flavors.get("1")
        driver = CeilometerDriver(connection.session, None, "public")
        with self.assertRaisesRegex(exceptions.TelemetryError, f": {reason}$"):
            driver.require_answer()
        with self.assertRaisesRegex(exceptions.TelemetryError, f"the region is unknown: {reason}$"):
            driver.region()

    def test_unknown_host_is_said(self) -> None:
        url = "http://keystone.invalid:5000/v3"
        self.assertRegex(self.failure(url), f"^Keystone at {url} does not respond: .*[Nn]ame")

    def test_silence_is_a_timeout(self) -> None:
        cloud = self.enterContext(CloudServer({TOKENS: Response({}, delay=3)}))
        url = f"{cloud.url}/identity/v3"
        self.assertEqual(f"Keystone at {url} does not respond: it timed out", self.failure(url))

    def test_rejected_user_is_named(self) -> None:
        cloud = self.enterContext(CloudServer({TOKENS: Response({"error": {}}, 401)}))
        url = f"{cloud.url}/identity/v3"
        failure = self.failure(url)
        self.assertRegex(failure, rf"^Keystone at {url} rejects user '\w+' \(domain \w+\) \(HTTP 401\): wrong password")
        self.assertNotIn(PASSWORD, failure)

    def test_missing_versions_have_status(self) -> None:
        cloud = self.enterContext(CloudServer({"/": Response(status=503)}))
        self.assertEqual(f"Keystone at {cloud.url} does not list its versions: HTTP 503", self.failure(cloud.url))

    def test_malformed_token_is_not_kept(self) -> None:
        times = {"expires_at": "2999-01-01T00:00:00.000000Z"}
        for token in (7, {}, {"expires_at": TOKEN}, {**times, "catalog": 7}, {**times, "catalog": [7]}):
            cloud = self.enterContext(CloudServer(endpoints={"metering": "/metering"}))
            good = cloud.responses[TOKENS]
            cloud.responses[TOKENS] = Response({"token": token}, 201, {"X-Subject-Token": TOKEN})
            url = f"{cloud.url}/identity/v3"
            driver = CeilometerDriver(self.connection(url).session, None, "public")
            pattern = f"Keystone at {url} gave a malformed token: "
            with self.subTest(token):
                for request in (driver.region, driver.require_answer):
                    with self.assertRaisesRegex(exceptions.TelemetryError, pattern) as caught:
                        request()
                    self.assertNotIn(TOKEN, str(caught.exception))
                cloud.responses[TOKENS] = good
                self.assertEqual("north", driver.region())


class ConnectionErrorsTest(unittest.TestCase):
    def test_dead_service_is_told_shortly(self) -> None:
        port = free_port()
        cloud = self.enterContext(CloudServer(endpoints={"compute": "/compute/v2.1", "metering": "/metering"}))
        connection = cloud.connection()
        connection.session.get_token()
        override = f"http://127.0.0.1:{port}"
        connection.proxy("compute").endpoint_override = override
        with self.assertRaisesRegex(exceptions.LookupUnavailable, f"connection to {override}.*: Connection refused$"):
            cloud_lookups(connection).flavors.get("1")
