# SPDX-License-Identifier: Apache-2.0
"""What tests of Gnocchi's API require of its server, and how they ask it."""

import datetime
import unittest
from typing import Any
from typing import ClassVar

import requests
from keystoneauth1 import session as ks_session

REGION = "RegionOne"
GRANULARITY = datetime.timedelta(minutes=5)
HISTORY = "search/resource/instance?history=true&sort=id:asc&sort=revision_start:"


class GnocchiCase(unittest.TestCase):
    """Says what the server has.

    All measures from :attr:`start` to :attr:`end`, which are full hours, are processed.

    :cvar session: of a user that may see everything.
    :cvar max_limit: the most rows that the server puts into an answer; it has more revisions than these.
    :cvar project: has at least three instances, each with the metric ``disk.root.size`` of an archive policy that keeps
        max, last, sum and count of five minutes, with two revisions, and measures in the period. It has also an
        image, with the metric ``image.size`` of a policy that keeps the mean of five minutes.
    """

    session: ClassVar[ks_session.Session]
    max_limit: ClassVar[int]
    project: ClassVar[str]
    start: ClassVar[datetime.datetime]
    end: ClassVar[datetime.datetime]

    @classmethod
    def user_session(cls, role: str) -> ks_session.Session:
        """A session of a user with one role in another project."""
        raise NotImplementedError

    def send(
        self, method: str, path: str, document: Any = None, session: ks_session.Session | None = None, **options: Any
    ) -> requests.Response:
        endpoint = {"service_type": "metric", "interface": "public", "region_name": REGION}
        headers = {"Accept": "application/json"} | options.pop("headers", {})
        return (session or self.session).request(
            f"/v1/{path}", method, json=document, headers=headers, endpoint_filter=endpoint, raise_exc=False, **options
        )

    def rows(self, method: str, path: str, document: Any = None, session: ks_session.Session | None = None) -> Any:
        response = self.send(method, path, document, session)
        self.assertEqual((200, "application/json"), (response.status_code, response.headers["Content-Type"]))
        return response.json()

    def assert_error(self, response: requests.Response, status: int, title: str, description: Any) -> None:
        self.assertEqual({"code": status, "title": title, "description": description}, response.json())
        self.assertEqual(status, response.status_code)

    def revisions(self, order: str = "asc") -> list[Any]:
        """The revisions of the project's instances, sorted by ID and start."""
        rows: list[Any] = self.rows("POST", HISTORY + order, {"=": {"project_id": self.project}})
        return rows

    def instances(self) -> list[str]:
        return list(dict.fromkeys(row["id"] for row in self.revisions()))

    def aggregates(
        self,
        metric: str = "disk.root.size",
        method: str = "max",
        resource_type: str = "instance",
        session: ks_session.Session | None = None,
        condition: Any = None,
        **query: Any,
    ) -> requests.Response:
        """The aggregates of the project's resources in the period."""
        parameters = {"start": self.start.isoformat(), "stop": self.end.isoformat(), "granularity": 300} | query
        document = {
            "operations": ["metric", [metric, method]],
            "resource_type": resource_type,
            "search": condition or {"=": {"project_id": self.project}},
        }
        return self.send("POST", "aggregates", document, session, params=parameters)
