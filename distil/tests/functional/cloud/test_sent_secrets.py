# SPDX-License-Identifier: Apache-2.0
"""Services that quote what was sent to them: no error message, and no log line, has a token or a password."""

import base64
import datetime
import itertools
import json
import unittest
import urllib.parse
from collections.abc import Callable

import requests

from distil import exceptions
from distil.cloud import adapter
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.lookups import cloud_lookups
from distil.cloud.response_limits import ResponseLimits
from distil.cloud.sent_secrets import sent_secrets
from distil.telemetry.ceilometer import CeilometerDriver
from distil.tests.support import gnocchi_driver
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import PASSWORD
from distil.tests.support.cloud_server import TOKENS
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import Response
from distil.tests.support.prometheus_driver import entry
from distil.tests.support.prometheus_driver import make_driver
from distil.tests.support.site import ETC

QUERY = "/metering/v2/query/samples"
SEARCH = "/metric/v1/search/resource/generic"
PROMQL = "/metric-storage/api/v1/query"
TELEMETRY = (QUERY, SEARCH, PROMQL)
FLAVOR = "/compute/v2.1/flavors/1"
CONTAINER = "/swift/v1/AUTH_p1/c"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HIDDEN = (TOKEN, PASSWORD)


class QuotedRequestTest(unittest.TestCase):
    def setUp(self) -> None:
        own = {name: f"/{name}" for name in ("metering", "metric", "metric-storage")}
        self.cloud = self.enterContext(CloudServer(endpoints=ENDPOINTS | own))
        session = self.cloud.session()
        adapter.mount_adapter(session, ResponseLimits(seconds=5, size=1_000_000))
        self.connection = Connection(session, None, "public")
        driver = CeilometerDriver(session, None, "public")
        lookups = cloud_lookups(self.connection, lifetime=0)
        self.requests: dict[str, Callable[[], object]] = {
            QUERY: lambda: list(driver.samples(("p1",), ("cpu",), START, START + datetime.timedelta(hours=1))),
            SEARCH: gnocchi_driver.create(session, meters_file=str(ETC / "gnocchi_meters.yml")).require_answer,
            PROMQL: make_driver([entry()], session).require_answer,
            FLAVOR: lambda: lookups.flavors.get("1"),
            CONTAINER: lambda: lookups.container_policies.get("p1/c"),
            "/identity/v3/projects": KeystoneProjects(self.connection).enabled,
        }

    def message(self, request: Callable[[], object]) -> str:
        with self.assertRaises(exceptions.ServiceError) as caught:
            request()
        message = str(caught.exception)
        self.assertEqual([], [secret for secret in HIDDEN if secret in message], message)
        return message

    def quote(self, target: str, response: Response) -> str:
        self.cloud.responses[target] = response
        return self.message(self.requests[target])

    def test_telemetry_body_is_redacted(self) -> None:
        quoted = f"X-Auth-Token: {TOKEN}"
        for body in (
            quoted,
            urllib.parse.quote(quoted),
            json.dumps({"error_message": {"faultstring": quoted}}),
            json.dumps(quoted),
        ):
            for target, status in itertools.product(TELEMETRY, (200, 500)):
                with self.subTest(target, status=status, body=body):
                    self.assertIn("***", self.quote(target, Response(body.encode(), status)))

    def test_token_at_end_of_excerpt_is_redacted(self) -> None:
        body = f"{'-' * 190}{TOKEN}".encode()
        self.assertIn("--***", self.quote(QUERY, Response(body, 500)))

    def test_reason_phrase_is_redacted(self) -> None:
        for target in (FLAVOR, CONTAINER, "/identity/v3/projects"):
            message = self.quote(target, Response(status=500, reason=f"Refused: {TOKEN}"))
            self.assertIn("HTTP 500 Refused: ***", message)

    def test_identity_error_is_redacted(self) -> None:
        error = {"error": {"code": 400, "message": f"invalid: {PASSWORD}", "title": "Bad Request"}}
        self.cloud.responses[TOKENS] = Response(error, 400, {"Content-Type": "application/json"})
        for request in self.requests.values():
            self.message(request)
        self.assertIn("invalid: ***", self.message(self.requests[QUERY]))

    def test_password_in_catalog_is_redacted(self) -> None:
        self.cloud.url = self.cloud.url.replace("://", "://someone:URL-password@")
        self.cloud.set_endpoints({**ENDPOINTS, "metering": "/metering"})
        for target in self.requests:
            self.assertNotIn("URL-password", self.quote(target, Response(status=500)))
        for response in (Response(status=500), Response(status=204)):
            self.assertIn("someone:***@", self.quote(CONTAINER, response))

    def test_password_in_wrong_endpoint_is_redacted(self) -> None:
        self.cloud.url = self.cloud.url.replace("://", "://someone:URL-password@")
        self.cloud.set_endpoints({**ENDPOINTS, "object-store": "/swift/v1"})
        message = self.message(self.requests[CONTAINER])
        self.assertRegex(message, r"someone:\*\*\*@\S+/swift/v1 does not end in")


class SentSecretsTest(unittest.TestCase):
    def sent(self, **options: object) -> set[str]:
        request = requests.Request("POST", "http://h/x", **options)  # type: ignore[arg-type]
        return set(sent_secrets(request.prepare()))

    def test_headers_have_secrets(self) -> None:
        names = ("X-Auth-Token", "x-subject-token", "X-Service-Token", "Cookie")
        self.assertEqual({f"s-{name}" for name in names}, self.sent(headers={name: f"s-{name}" for name in names}))
        self.assertEqual({"bearer-token"}, self.sent(headers={"Authorization": "Bearer bearer-token"}))
        encoded = base64.b64encode(b"user:pass:word").decode()
        self.assertEqual({encoded, "pass:word"}, self.sent(auth=("user", "pass:word")))

    def test_authentication_bodies_have_secrets(self) -> None:
        domain = {"id": "default"}
        user = {"name": "distil", "domain": domain, "password": "p-word"}
        for document, secrets in (
            ({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}, {"p-word"}),
            ({"auth": {"identity": {"methods": ["token"], "token": {"id": "t-id"}}}}, {"t-id"}),
            ({"identity": {"application_credential": {"id": "a", "secret": "s-word"}}}, {"s-word"}),
            ({"identity": {"totp": {"user": {"id": "u", "passcode": "123456"}}}}, {"123456"}),
        ):
            self.assertEqual(secrets, self.sent(json=document))
        self.assertEqual({"f-word"}, self.sent(data={"username": "u", "password": "f-word"}))

    def test_other_bodies_are_not_read(self) -> None:
        self.assertEqual({"t"}, self.sent(headers={"X-Auth-Token": "t"}, json={"password": "p"}))
        self.assertEqual(set(), self.sent(data=b"\xff[" * 1000))
