# SPDX-License-Identifier: Apache-2.0
"""Observation of every request, with the service that it was sent to."""

import collections
import unittest

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.cloud.request_observer import RequestObserver
from distil.factory.session import load_session
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import RESET
from distil.tests.support.http_server import Response
from distil.tests.unit.factory.test_session import GOOD
from distil.tests.unit.factory.test_session import read

FLAVOR = "/compute/v2.1/flavors/1"
SMALL = Response({"flavor": {"id": "1", "name": "c1.c1r1"}})


class CountingObserver(RequestObserver):
    def __init__(self) -> None:
        self.requests = 0
        self.responses = collections.Counter[tuple[str, str, int | None]]()
        self.seconds = 0.0

    def on_request(self) -> None:
        self.requests += 1

    def on_response(self, service: str, method: str, status: int | None, seconds: float) -> None:
        self.responses[service, method, status] += 1
        self.seconds += seconds


class RequestObserverTest(unittest.TestCase):
    def cloud(self, flavor: Response, endpoints: dict[str, str] | None = None) -> CloudServer:
        responses = {FLAVOR: flavor, "/identity/v3/projects": Response({"projects": []})}
        cloud = self.enterContext(CloudServer(responses, {**ENDPOINTS, **(endpoints or {})}))
        section = {**GOOD, "password": PASSWORD, "auth_url": f"{cloud.url}/identity/v3", "timeout": "5"}
        self.observer = CountingObserver()
        connection = Connection(load_session(read(section), self.observer), None, "public")
        self.lookups, self.projects = cloud_lookups(connection), KeystoneProjects(connection)
        return cloud

    def test_token_request_counts_as_identity(self) -> None:
        cloud = self.cloud(SMALL)
        self.lookups.flavors.get("1")
        self.assertEqual(1, self.observer.responses["compute", "GET", 200])
        self.assertEqual(1, self.observer.responses["identity", "POST", 201])
        self.assertEqual({"compute", "identity"}, {service for service, _, _ in self.observer.responses})
        self.assertEqual((len(cloud.request_lines),) * 2, (self.observer.requests, self.observer.responses.total()))

    def test_discovery_counts_as_its_service(self) -> None:
        cloud = self.cloud(SMALL, {"compute": "/compute"})
        self.lookups.flavors.get("1")
        discoveries = sum("/compute" in request for request in cloud.request_lines)
        self.assertLess(1, discoveries)
        self.assertEqual(
            discoveries, sum(n for (service, _, _), n in self.observer.responses.items() if service == "compute")
        )

    def test_project_list_counts_as_identity(self) -> None:
        self.cloud(SMALL)
        self.lookups.flavors.get("1")
        before = self.observer.responses["identity", "GET", 200]
        self.projects.enabled()
        self.assertEqual(before + 1, self.observer.responses["identity", "GET", 200])

    def test_reports_http_status_or_none(self) -> None:
        for flavor, status in ((Response({}, status=503), 503), (RESET, None)):
            self.cloud(flavor)
            with self.subTest(status), self.assertRaises(exceptions.LookupUnavailable):
                self.lookups.flavors.get("1")
            self.assertLessEqual(1, self.observer.responses["compute", "GET", status])
            self.assertEqual(0, self.observer.responses["compute", "GET", 200])
            self.assertEqual(self.observer.requests, self.observer.responses.total())

    def test_measures_time_until_headers(self) -> None:
        self.cloud(Response({"flavor": {"id": "1", "name": "c1"}}, delay=0.5))
        self.lookups.flavors.get("1")
        self.assertTrue(0.5 <= self.observer.seconds < 4, self.observer.seconds)
