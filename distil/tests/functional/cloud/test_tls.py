# SPDX-License-Identifier: Apache-2.0
"""TLS between the collector and the cloud: trusted authorities and client certificates."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.factory.session import load_session
from distil.telemetry.client import CeilometerClient
from distil.tests.support.certificates import Authority
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import Response
from distil.tests.support.site import Site
from distil.tests.unit.factory.test_session import GOOD
from distil.tests.unit.factory.test_session import read

RESPONSES = {
    "/identity/v3/projects": Response({"projects": [{"id": "p1", "name": "one"}]}),
    "/compute/v2.1/flavors/1": Response({"flavor": {"id": "1", "name": "c1.c1r1"}}),
    "/metering/v2/samples": Response([{"id": "s1"}]),
}


class ClientTlsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.authority = Authority(self.folder)
        self.unknown = Authority(self.folder, "unknown")
        self.enterContext(mock.patch.dict(os.environ))
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            os.environ.pop(name, None)

    def serve(
        self, certificate: tuple[pathlib.Path, pathlib.Path], client_cafile: pathlib.Path | None = None
    ) -> CloudServer:
        endpoints = {**ENDPOINTS, "metering": "/metering"}
        return self.enterContext(CloudServer(RESPONSES, endpoints, certificate, client_cafile))

    def request_all(self, cloud: CloudServer, **options: object) -> None:
        """Send a request to each service, with a session of these options."""
        section = {**GOOD, "password": PASSWORD, "auth_url": f"{cloud.url}/identity/v3", "timeout": "20"}
        session = load_session(read(section | {name: str(value) for name, value in options.items()}))
        connection = Connection(session, None, "public")
        self.assertEqual(["p1"], [project.id for project in KeystoneProjects(connection).enabled()])
        self.assertEqual("c1.c1r1", cloud_lookups(connection).flavors.get("1"))
        self.assertEqual(
            [{"id": "s1"}], CeilometerClient(session, None, "public").list_samples("GET", "/v2/samples", "a test")
        )

    def assert_rejected(self, cloud: CloudServer, reason: str, **options: object) -> None:
        with self.assertRaisesRegex(exceptions.IdentityError, reason):
            self.request_all(cloud, **options)
        self.assertEqual([], cloud.request_lines)

    def test_cafile_authority_is_trusted(self) -> None:
        cloud = self.serve(self.authority.issue())
        self.request_all(cloud, cafile=self.authority.file)

    def test_environment_bundle_is_used_without_cafile(self) -> None:
        cloud = self.serve(self.authority.issue())
        os.environ["REQUESTS_CA_BUNDLE"] = str(self.authority.file)
        self.request_all(cloud)

    def test_cafile_overrides_requests_ca_bundle(self) -> None:
        os.environ["REQUESTS_CA_BUNDLE"] = str(self.unknown.file)
        self.request_all(self.serve(self.authority.issue()), cafile=self.authority.file)
        os.environ["REQUESTS_CA_BUNDLE"] = str(self.authority.file)
        cloud = self.serve(self.authority.issue())
        self.assert_rejected(cloud, "certificate verify failed", cafile=self.unknown.file)

    def test_unknown_authority_is_rejected(self) -> None:
        cloud = self.serve(self.authority.issue())
        self.assert_rejected(
            cloud, f"no TLS connection to Keystone at {cloud.url}/identity/v3: .*certificate verify failed"
        )
        self.assert_rejected(cloud, "certificate verify failed", cafile=self.unknown.file)

    def test_wrong_hostname_is_rejected(self) -> None:
        cloud = self.serve(self.authority.issue("elsewhere.example.com"))
        self.assert_rejected(cloud, "not valid for '127.0.0.1'", cafile=self.authority.file)

    def test_expired_certificate_is_rejected(self) -> None:
        cloud = self.serve(self.authority.issue(days=-1))
        self.assert_rejected(cloud, "certificate has expired", cafile=self.authority.file)

    def test_insecure_accepts_any_certificate(self) -> None:
        cloud = self.serve(self.unknown.issue("elsewhere.example.com", days=-1))
        self.request_all(cloud, insecure=True)

    def test_client_certificate_is_presented(self) -> None:
        clients = Authority(self.folder, "clients")
        certfile, keyfile = clients.issue("distil")
        cloud = self.serve(self.authority.issue(), clients.file)
        self.request_all(cloud, cafile=self.authority.file, certfile=certfile, keyfile=keyfile)
        both = self.folder / "both.pem"
        both.write_bytes(certfile.read_bytes() + keyfile.read_bytes())
        self.request_all(cloud, cafile=self.authority.file, certfile=both)

    def test_missing_or_unknown_client_certificate_fails(self) -> None:
        clients = Authority(self.folder, "clients")
        cloud = self.serve(self.authority.issue(), clients.file)
        self.assert_rejected(cloud, "identity GET /projects", cafile=self.authority.file)
        certfile, keyfile = self.unknown.issue("distil")
        self.assert_rejected(
            cloud, "identity GET /projects", cafile=self.authority.file, certfile=certfile, keyfile=keyfile
        )

    def test_tls_options_reach_connections(self) -> None:
        cloud = self.serve(self.authority.issue())
        session = load_session(read({**GOOD, "tls_min_version": "1.3"}))
        self.assertEqual("1.3", vars(session.adapters["https://"])["tls_min_version"])
        self.request_all(cloud, cafile=self.authority.file, tls_min_version="1.3")

    def test_collector_rejects_untrusted_certificate(self) -> None:
        site = self.enterContext(Site(projects=1))
        cloud = self.serve(self.authority.issue())
        site.configure({"auth_url": f"{cloud.url}/identity/v3", "cafile": self.unknown.file})
        self.assertIn("certificate verify failed", site.collect(status=1))
        self.assertEqual([], cloud.request_lines)

    def test_collector_uses_requests_ca_bundle(self) -> None:
        site = self.enterContext(Site(projects=1))
        cloud = self.serve(self.authority.issue())
        site.configure({"auth_url": f"{cloud.url}/identity/v3"})
        os.environ["REQUESTS_CA_BUNDLE"] = str(self.authority.file)
        # The only sample of a service proves nothing, so that its project fails; every request was accepted.
        self.assertIn("whether a response of 1 sample is complete is unknown", site.collect(status=1))
        self.assertEqual({"p1"}, site.last_collected().keys())
