# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud for each test."""

import datetime
import unittest
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox.cloud import Cloud

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


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
