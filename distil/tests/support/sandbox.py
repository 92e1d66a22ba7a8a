# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud for each test."""

import datetime
import unittest
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox.cloud import Cloud

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
_MILLISECOND = datetime.timedelta(milliseconds=1)


class SandboxTestCase(unittest.TestCase):
    """Starts a cloud for each test.

    :cvar settings: arguments of the cloud.
    """

    settings: dict[str, Any] = {}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        defaults: dict[str, Any] = {"projects": 4, "resources": 4, "start": START, "end": START + 3 * HOUR}
        self.cloud = Cloud(**(defaults | self.settings))
        self.enterContext(self.cloud)
        self.session = self.open_session()
        self.project_id = self.cloud.projects.enabled_ids[0]

    def open_session(self, **replaced: str) -> ks_session.Session:
        """Open a session of the cloud's administrator, with some credentials replaced."""
        auth: dict[str, Any] = self.cloud.auth() | replaced
        session = ks_session.Session(auth=v3.Password(**auth), timeout=30)
        self.addCleanup(session.session.close)
        return session

    def metering(self, path: str, **details: Any) -> Any:
        """Return the response to a GET of the metering service, whatever its status."""
        return self.session.get(f"{self.cloud.url}/metering{path}", raise_exc=False, **details)

    def query_samples(self, **body: Any) -> Any:
        url = f"{self.cloud.url}/metering/v2/query/samples"
        return self.session.post(url, json=body, raise_exc=False)


class GnocchiTestCase(SandboxTestCase):
    """Has projects with eight resources for each meter, of which three change."""

    settings = {"resources": 8}  # noqa: RUF012

    def request(self, method: str, path: str, **details: Any) -> Any:
        headers = {"Accept": "application/json"} | details.pop("headers", {})
        return self.session.request(
            f"{self.cloud.url}/metric{path}", method, raise_exc=False, headers=headers, **details
        )

    def get(self, path: str, **params: Any) -> Any:
        return self.request("GET", path, params=params)

    def search(self, resource_type: str = "instance", body: Any = None, **params: Any) -> Any:
        return self.request("POST", f"/v1/search/resource/{resource_type}", json=body or {}, params=params)

    def aggregates(self, resource_type: str, *references: tuple[str, str], search: Any = None, **params: Any) -> Any:
        body = {"operations": ["metric", *references], "resource_type": resource_type, "search": search or {}}
        window = {"start": START.isoformat(), "stop": (START + HOUR).isoformat(), "granularity": 300}
        return self.request("POST", "/v1/aggregates", json=body, params=window | params)

    def of_project(self) -> dict[str, Any]:
        return {"=": {"project_id": self.project_id}}

    def assert_error(self, response: Any, status: int, description: Any) -> None:
        self.assertEqual(status, response.status_code)
        self.assertEqual(description, response.json()["description"])


class PrometheusTestCase(SandboxTestCase):
    """Has projects with eight resources for each meter, of which three change."""

    settings: dict[str, Any] = {"resources": 8}  # noqa: RUF012

    def get(self, path: str, service: str = "prometheus", **params: Any) -> Any:
        return self.session.get(f"{self.cloud.url}/{service}/api/v1/{path}", params=params, raise_exc=False)

    def series(self, query: str, end: datetime.datetime = START + HOUR, **details: str) -> list[Any]:
        """Return the series of a query for a range before the end of a window."""
        response = self.get("query", query=query, time=(end - _MILLISECOND).timestamp(), **details)
        self.assertEqual(200, response.status_code, response.text)
        found: list[Any] = response.json()["data"]["result"]
        return found

    def samples(self, meter: str, start: datetime.datetime = START) -> list[Mapping[str, Any]]:
        """Return Ceilometer's samples of an hour."""
        return list(self.cloud.samples(self.project_id, meter, start, start + HOUR))
