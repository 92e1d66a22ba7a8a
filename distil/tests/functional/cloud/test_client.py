# SPDX-License-Identifier: Apache-2.0
"""Requests without a usable response raise an error, which names the request and is not cached."""

import os
import socket
import threading
import unittest
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from unittest import mock

from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.cloud.os_distro import OsDistros
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import OWN_PROJECT
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import TOKENS
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.cloud_server import not_found
from distil.tests.support.http_server import RESET
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import Response
from distil.transformers.lookups import Lookups

FLAVOR = "/compute/v2.1/flavors/1"
TYPES = f"/volume/v3/{OWN_PROJECT}/types"
VOLUME = f"/volume/v3/{OWN_PROJECT}/volumes/v1"
CONTAINER = "/swift/v1/AUTH_p1/c"
SMALL = Response({"flavor": {"id": "1", "name": "c1.c1r1"}})

LOOKUPS: Mapping[str, Callable[[Lookups], str | None]] = {
    FLAVOR: lambda lookups: lookups.flavors.get("1"),
    TYPES: lambda lookups: lookups.volume_types.get("t1"),
    VOLUME: lambda lookups: lookups.types_of_volumes.get("v1"),
    CONTAINER: lambda lookups: lookups.container_policies.get("p1/c"),
}
FAILURES = {
    "internal server error": Response({"computeFault": {}}, status=500),
    "service unavailable": Response(b"<html>", status=503),
    "unauthorized": Response({"error": {}}, status=401),
    "forbidden": Response({"forbidden": {}}, status=403),
    "too many requests": Response(status=429),
    "multiple choices": Response(status=300),
    "connection reset": RESET,
    "time-out": Response(delay=1),
}
MALFORMED_BODIES = {
    "HTML": Response(b"<html>Log in</html>"),
    "empty": Response(),
    "incomplete body": Response(b'{"flavor": {"name": "c1', length=100),
    "truncated JSON": Response(b'{"flavor": {"name": "c1'),
    "deeply nested": Response(b"[" * 100_000),
    "invalid UTF-8": Response(b'{"flavor": {"name": "\xff"}}'),
    "list": Response([]),
    "null": Response(None),
    "empty object": Response({}),
    "unexpected types": Response({"flavor": [], "volume_types": {}, "volume": "v"}),
    "invalid names": Response(
        {"flavor": {"name": 1}, "volume_types": [{"id": "t1", "name": None}], "volume": {"volume_type": {"id": 1}}}
    ),
}
IMAGE = "/image/v2/images/i1"
_NO_ROUTE = {"message": "No route matches /v2.1/flavors/1, /volumes/v1, /v2/images/i1", "code": 404}
FOREIGN_NOT_FOUND = {
    "HTML": b"<html>404</html>",
    "empty": b"",
    "gateway's JSON": _NO_ROUTE,
    "gateway's error": {"error": {**_NO_ROUTE, "code": "route_not_found"}},
    "gateway's empty error": {"itemNotFound": {}},
    "other status in body": {"itemNotFound": {"code": 400, "message": "1 is malformed"}},
    "unknown path": {
        "message": "The resource could not be found.<br />",
        "code": "404 Not Found",
        "title": "Not Found",
    },
    "list": [404],
    "deeply nested": b"[" * 100_000,
}
BAD_REQUESTS: tuple[Any, ...] = (
    {"badRequest": {"code": 400, "message": "Malformed request URL: URL's project_id doesn't match Context's"}},
    {"itemNotFound": {"code": 400, "message": "1"}},
    b"<html>400</html>",
)
OS_DISTRO_LOOKUPS: Mapping[str, Callable[[OsDistros], str]] = {
    "/compute/v2.1/servers/s1/os-volume_attachments": lambda distros: distros.os_distro("s1", None),
    IMAGE: lambda distros: distros.os_distro("s1", "http://glance/images/i1"),
}


class LookupFailuresTest(unittest.TestCase):
    def cloud(
        self, responses: Mapping[str, Response], endpoints: Mapping[str, str] = ENDPOINTS
    ) -> tuple[CloudServer, Lookups]:
        cloud = self.enterContext(CloudServer(responses, endpoints))
        return cloud, cloud_lookups(cloud.connection(timeout=0.5))

    def assert_unavailable(self, lookup: Callable[[], object], message: str) -> None:
        with self.assertRaisesRegex(exceptions.LookupUnavailable, message) as caught:
            lookup()
        self.assertNotIn(TOKEN, str(caught.exception))
        self.assertNotIn(PASSWORD, str(caught.exception))

    def test_failed_request_is_named_in_error(self) -> None:
        for target, lookup in LOOKUPS.items():
            for case, response in FAILURES.items():
                with self.subTest(target=target, case=case):
                    _, lookups = self.cloud({target: response})
                    self.assert_unavailable(lambda: lookup(lookups), target.rpartition("/")[2])  # noqa: B023

    def test_malformed_body_raises(self) -> None:
        for target in (FLAVOR, TYPES, VOLUME):
            for case, response in MALFORMED_BODIES.items():
                with self.subTest(target=target, case=case):
                    _, lookups = self.cloud({target: response})
                    self.assert_unavailable(lambda: LOOKUPS[target](lookups), "GET /")  # noqa: B023

    def test_foreign_not_found_raises(self) -> None:
        for target, lookup in LOOKUPS.items():
            for case, body in FOREIGN_NOT_FOUND.items():
                with self.subTest(target=target, case=case):
                    cloud, lookups = self.cloud({target: Response(body, 404, {"X-Request-Id": "1"})})
                    self.assert_unavailable(lambda: lookup(lookups), "HTTP 404 .* not in the form")  # noqa: B023
                    del cloud.responses[target]
                    if target != TYPES:
                        self.assertIsNone(lookup(lookups))

    def test_foreign_not_found_leaves_os_distro_open(self) -> None:
        for target, lookup in OS_DISTRO_LOOKUPS.items():
            for case, body in FOREIGN_NOT_FOUND.items():
                with self.subTest(target=target, case=case):
                    cloud, _ = self.cloud({target: Response(body, 404)})
                    distros = OsDistros(cloud.connection())
                    self.assert_unavailable(lambda: lookup(distros), "HTTP 404 .* not in the form")  # noqa: B023
                    del cloud.responses[target]
                    self.assertEqual("unknown", lookup(distros))

    def test_unknown_image_path_raises(self) -> None:
        """Glance itself answers so if the URL in the catalog is wrong."""
        headers = {"X-Openstack-Request-Id": "req-1"}
        cloud, _ = self.cloud({IMAGE: Response(FOREIGN_NOT_FOUND["unknown path"], 404, headers)})
        distros = OsDistros(cloud.connection())
        self.assert_unavailable(lambda: OS_DISTRO_LOOKUPS[IMAGE](distros), "wrong URL in the catalog")

    def test_image_not_found_needs_mark_of_glance(self) -> None:
        body = not_found(IMAGE).body
        cloud, _ = self.cloud({IMAGE: Response(body, 404)})
        distros = OsDistros(cloud.connection())
        self.assert_unavailable(lambda: OS_DISTRO_LOOKUPS[IMAGE](distros), "HTTP 404 .* not in the form")
        cloud.responses[IMAGE] = Response(body, 404, {"X-Openstack-Request-Id": "req-1"})
        self.assertEqual("unknown", OS_DISTRO_LOOKUPS[IMAGE](distros))

    def test_image_without_id_raises(self) -> None:
        cloud, _ = self.cloud({IMAGE: Response({"os_distro": "windows"})})
        distros = OsDistros(cloud.connection())
        self.assert_unavailable(lambda: OS_DISTRO_LOOKUPS[IMAGE](distros), "'id' in the response")

    def test_bad_request_raises(self) -> None:
        for target, lookup in LOOKUPS.items():
            for body in BAD_REQUESTS:
                with self.subTest(target=target, body=body):
                    _, lookups = self.cloud({target: Response(body, 400, {"X-Trans-Id": "tx1"})})
                    self.assert_unavailable(lambda: lookup(lookups), "HTTP 400")  # noqa: B023

    def test_volume_without_id_or_type_raises(self) -> None:
        for volume in ({}, {"id": "v1"}, {"volume_type": "fast"}, {"id": "", "volume_type": "fast"}):
            with self.subTest(volume=volume):
                _, lookups = self.cloud({VOLUME: Response({"volume": volume})})
                self.assert_unavailable(lambda: lookups.types_of_volumes.get("v1"), "GET /volumes/v1")  # noqa: B023

    def test_failure_is_not_cached(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: Response(status=503)})
        self.assert_unavailable(lambda: lookups.flavors.get("1"), r"compute GET /flavors/1: HTTP 503 ")
        cloud.responses[FLAVOR] = SMALL
        self.assertEqual("c1.c1r1", lookups.flavors.get("1"))

    def test_failed_discovery_raises_and_is_retried(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL}, {**ENDPOINTS, "compute": "/compute"})
        discovered = cloud.responses["/compute"]
        cloud.responses["/compute"] = Response(status=503)
        self.assert_unavailable(lambda: lookups.flavors.get("1"), "compute GET /flavors/1")
        cloud.responses["/compute"] = discovered
        self.assertEqual("c1.c1r1", lookups.flavors.get("1"))

    def test_malformed_discovery_document_raises(self) -> None:
        for document in ({"versions": 1}, {"versions": [{"id": "v2.1", "links": 7}]}, [1], {"versions": [None]}):
            with self.subTest(document=document):
                _, lookups = self.cloud({"/compute": Response(document)}, {**ENDPOINTS, "compute": "/compute"})
                self.assert_unavailable(lambda: lookups.flavors.get("1"), "compute GET /flavors/1")  # noqa: B023

    def test_missing_endpoint_raises_until_catalog_updated(self) -> None:
        cloud = self.enterContext(CloudServer({FLAVOR: SMALL}, endpoints={}))
        connection = cloud.connection()
        lookups = cloud_lookups(connection)
        self.assert_unavailable(lambda: lookups.flavors.get("1"), "compute .* no public endpoint .* in region north")
        with self.assertRaises(exceptions.ServiceOutage):
            cloud_lookups(connection, stop=threading.Event()).flavors.get("1")
        cloud.set_endpoints(ENDPOINTS)
        connection.session.invalidate()
        self.assertEqual("c1.c1r1", lookups.flavors.get("1"))

    def test_other_region_or_interface_raises(self) -> None:
        cloud, _ = self.cloud({FLAVOR: SMALL})
        for where in (("south", "public"), ("north", "admin")):
            lookups = cloud_lookups(cloud.connection(*where))
            self.assert_unavailable(lambda: lookups.flavors.get("1"), f"no {where[1]} endpoint")  # noqa: B023

    def test_any_region_matches_when_unset(self) -> None:
        cloud, _ = self.cloud({FLAVOR: SMALL})
        self.assertEqual("c1.c1r1", cloud_lookups(cloud.connection(None)).flavors.get("1"))

    def test_invalid_token_response_raises(self) -> None:
        invalid = (
            Response(b"<html>", 201),
            Response({}, 201),
            Response({"token": {}}, 201),
            Response(status=401),
            RESET,
        )
        for response in invalid:
            with self.subTest(response=response):
                cloud, lookups = self.cloud({TOKENS: response})
                self.assert_unavailable(lambda: lookups.flavors.get("1"), "compute GET /flavors/1")  # noqa: B023
                with self.assertRaisesRegex(exceptions.IdentityError, "identity GET /projects"):
                    KeystoneProjects(cloud.connection()).enabled()

    def test_token_renewal_failure_raises(self) -> None:
        cloud = self.enterContext(CloudServer({FLAVOR: SMALL}))
        connection = cloud.connection()
        for target in (FLAVOR, CONTAINER):
            LOOKUPS[target](cloud_lookups(connection, lifetime=0))
        cloud.responses[TOKENS] = Response(status=503)
        connection.session.invalidate()
        for target in (FLAVOR, CONTAINER):
            self.assert_unavailable(lambda: LOOKUPS[target](cloud_lookups(connection)), "HTTP 503")  # noqa: B023

    def test_unreachable_cloud_raises(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            url = f"http://user:{PASSWORD}@127.0.0.1:{closed.getsockname()[1]}"
        session = ks_session.Session(auth=token_endpoint.Token(url, TOKEN), timeout=1)
        lookups = cloud_lookups(Connection(session, None, "public"))
        self.assert_unavailable(lambda: lookups.flavors.get("1"), "compute GET /flavors/1: .*unavailable")

    def test_requests_ca_bundle_is_used(self) -> None:
        session = ks_session.Session(auth=token_endpoint.Token("https://127.0.0.1:1", TOKEN), timeout=1)
        lookups = cloud_lookups(Connection(session, None, "public"))
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "/nowhere/operators-ca.pem"}):
            self.assert_unavailable(lambda: lookups.flavors.get("1"), "/nowhere/operators-ca.pem")

    def test_ignores_openstack_environment_variables(self) -> None:
        cloud, _ = self.cloud({FLAVOR: SMALL})
        environment = {
            "OS_AUTH_URL": "http://elsewhere",
            "OS_REGION_NAME": "south",
            "OS_CLOUD": "mine",
            "OS_COMPUTE_API_VERSION": "9",
        }
        with mock.patch.dict(os.environ, environment):
            self.assertEqual("c1.c1r1", cloud_lookups(cloud.connection()).flavors.get("1"))
