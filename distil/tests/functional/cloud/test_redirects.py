# SPDX-License-Identifier: Apache-2.0
"""Redirects are followed within an origin; others get neither a token nor a password."""

import unittest
from collections.abc import Callable

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.factory.session import load_session
from distil.telemetry.client import CeilometerClient
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import TOKENS
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Response
from distil.tests.unit.factory.test_session import GOOD
from distil.tests.unit.factory.test_session import read

STATUSES = (301, 302, 303, 305, 307, 308)
FLAVOR = "/compute/v2.1/flavors/1"
PROJECTS = "/identity/v3/projects"
CONTAINER = "/swift/v1/AUTH_p/c"
SAMPLES = "/metering/v2/samples"
OTHER_ORIGIN = "{} redirects to {}, which is another origin and is not followed"


class RedirectTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = self.enterContext(CloudServer(endpoints={**ENDPOINTS, "metering": "/metering"}))
        self.other = self.enterContext(HTTPServer(Response([])))
        self.requests: dict[str, tuple[type[exceptions.ServiceError], Callable[[], object]]] = {
            PROJECTS: (exceptions.IdentityError, lambda: KeystoneProjects(self.connection()).enabled()),
            FLAVOR: (exceptions.LookupUnavailable, lambda: cloud_lookups(self.connection()).flavors.get("1")),
            CONTAINER: (
                exceptions.LookupUnavailable,
                lambda: cloud_lookups(self.connection()).container_policies.get("p/c"),
            ),
            SAMPLES: (exceptions.TelemetryError, self.list_samples),
        }

    def connection(self) -> Connection:
        section = {**GOOD, "password": PASSWORD, "auth_url": f"{self.cloud.url}/identity/v3", "timeout": "5"}
        return Connection(load_session(read(section)), None, "public")

    def list_samples(self) -> list[object]:
        client = CeilometerClient(self.connection().session, None, "public")
        return client.list_samples("GET", "/v2/samples", "a test", params={"limit": 7})

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        self.cloud.responses[path] = Response(status=status, headers={"Location": location})

    def assert_refused(self, path: str, *expected: str) -> None:
        error_class, request = self.requests[path]
        with self.assertRaises(error_class) as caught:
            request()
        message = str(caught.exception)
        for text in expected:
            self.assertIn(text, message)
        self.assertNotIn(TOKEN, message)
        self.assertNotIn(PASSWORD, message)
        self.assertEqual([], self.other.requests)

    def test_other_origin_is_refused(self) -> None:
        for path in self.requests:
            for status in STATUSES:
                with self.subTest(path=path, status=status):
                    self.redirect(path, f"{self.other.url}/?user:secret@", status)
                    self.assert_refused(path, OTHER_ORIGIN.format(self.cloud.url, self.other.url))

    def test_password_is_not_redirected(self) -> None:
        for status in STATUSES:
            self.redirect(TOKENS, f"{self.other.url}{TOKENS}", status)
            for path in self.requests:
                with self.subTest(path=path, status=status):
                    self.assert_refused(path, OTHER_ORIGIN.format(self.cloud.url, self.other.url), "or auth_url")

    def test_redirected_version_list_is_refused(self) -> None:
        self.redirect("/identity/v3", f"{self.other.url}/identity/v3")
        for path in self.requests:
            with self.subTest(path):
                self.assert_refused(path, OTHER_ORIGIN.format(self.cloud.url, self.other.url), "or auth_url")

    def test_each_part_of_origin_counts(self) -> None:
        port = self.cloud.server_port
        targets = {
            f"https://127.0.0.1:{port}/": f"https://127.0.0.1:{port}",
            f"http://localhost:{port}/": f"http://localhost:{port}",
            "//example.com": "http://example.com:80",
            f"http://user:{PASSWORD}@example.com/": "http://example.com:80",
            rf"http://example.com\@127.0.0.1:{port}/": "http://example.com:80",
            f"http://127.0.0.1:{port}@example.com/": "http://example.com:80",
            "file:///etc/passwd": "an invalid URL",
            "http://[": "an invalid URL",
        }
        for location, origin in targets.items():
            with self.subTest(location):
                self.redirect(FLAVOR, location)
                self.assert_refused(FLAVOR, OTHER_ORIGIN.format(self.cloud.url, origin))

    def test_lost_query_is_refused(self) -> None:
        for path in (PROJECTS, SAMPLES):
            self.redirect(path, f"{path}/")
            self.cloud.responses[f"{path}/"] = Response([])
            with self.subTest(path):
                self.assert_refused(path, "a URL with another query, which is not followed")

    def test_same_origin_is_followed(self) -> None:
        self.cloud.responses["/new?limit=7"] = Response([{"meter": "m"}])
        for location in ("/new?limit=7", "../../new?limit=7", f"{self.cloud.url.upper()}/new?limit=7"):
            for status in STATUSES:
                with self.subTest(location=location, status=status):
                    self.redirect(SAMPLES, location, status)
                    self.assertEqual([{"meter": "m"}], self.list_samples())

    def test_endless_redirects_end(self) -> None:
        for path in self.requests:
            target = f"{path}?limit=7" if path == SAMPLES else path
            target = f"{path}?enabled=true&limit=1000" if path == PROJECTS else target
            self.redirect(path, target)
            self.cloud.requests.clear()
            with self.subTest(path):
                self.assert_refused(path, "HTTP 302")
                self.assertEqual(4, len(self.cloud.service_request_lines))

    def test_multiple_choices_are_no_redirect(self) -> None:
        versions = self.cloud.responses["/identity/v3"]
        self.cloud.responses["/identity/v3"] = Response(versions.body, 300, {"Location": self.other.url})
        self.cloud.responses[FLAVOR] = Response({"flavor": {"id": "1", "name": "small"}})
        self.assertEqual("small", self.requests[FLAVOR][1]())
