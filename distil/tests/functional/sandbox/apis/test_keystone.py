# SPDX-License-Identifier: Apache-2.0
"""Tests of the sandbox's Keystone with real clients."""

from typing import Any

import openstack.connection
from keystoneauth1 import exceptions as ks_exceptions

from distil.tests.support import sandbox


class AuthenticationTest(sandbox.SandboxTestCase):
    def test_catalog_lists_services_for_every_interface(self) -> None:
        telemetry = ("metering", "metric", "metric-storage")
        for kind in ("identity", *telemetry, "compute", "volumev3", "block-storage", "image", "object-store"):
            for interface in ("public", "internal", "admin"):
                found = self.session.get_endpoint(service_type=kind, interface=interface, region_name="RegionOne")
                self.assertTrue(str(found).startswith(self.cloud.url), (kind, interface, found))

    def test_wrong_credentials_are_rejected(self) -> None:
        for wrong in ({"password": "wrong"}, {"username": "nobody"}, {"project_name": "nothing"}):
            with self.assertRaises(ks_exceptions.Unauthorized):
                self.open_session(**wrong).get_token()

    def test_missing_token_returns_401(self) -> None:
        for path in ("/identity/v3/projects", "/metering/v2/samples", "/compute/v2.1/flavors/42", "/volume/v3/x/types"):
            self.assertEqual(401, self._status_without_token(path), path)

    def test_client_renews_revoked_token(self) -> None:
        before = self.session.get_token()
        self.cloud.tokens.revoke()
        self.assertEqual(200, self.metering("/v2/samples").status_code)
        self.assertNotEqual(before, self.session.get_token())

    def _status_without_token(self, path: str) -> int:
        response = self.session.get(self.cloud.url + path, authenticated=False, raise_exc=False)
        return int(response.status_code)


class TokenExpiryTest(sandbox.SandboxTestCase):
    settings = {"token_lifetime": 0}  # noqa: RUF012

    def test_expired_token_returns_401(self) -> None:
        headers = {"X-Auth-Token": self.session.get_token() or ""}
        url = f"{self.cloud.url}/metering/v2/samples"
        response = self.session.get(url, headers=headers, authenticated=False, raise_exc=False)
        self.assertEqual(401, response.status_code)


class ProjectsTest(sandbox.SandboxTestCase):
    settings = {"projects": 25}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        connection = openstack.connection.Connection(session=self.session, region_name="RegionOne")
        self.addCleanup(connection.close)
        self.identity: Any = connection.identity

    def test_pages_list_every_project_once(self) -> None:
        found = [project.id for project in self.identity.projects(limit=7)]
        self.assertEqual(25 + 2 + 1, len(found))
        self.assertEqual(len(found), len(set(found)))
        self.assertLess(3, self._requests_for_projects())

    def test_enabled_filter_excludes_disabled_projects(self) -> None:
        found = {project.id for project in self.identity.projects(is_enabled=True)}
        self.assertEqual({*self.cloud.projects.enabled_ids, self.cloud.projects.service_id}, found)
        disabled = [project for project in self.identity.projects() if not project.is_enabled]
        self.assertEqual(2, len(disabled))

    def test_filters_by_domain_and_name(self) -> None:
        domain = self.identity.find_domain("customers")
        names = [project.name for project in self.identity.projects(domain_id=domain.id)]
        self.assertCountEqual([f"project-{number}" for number in (1, 5, 9, 17, 21, 25)] + ["project-13 🚀"], names)
        named = self._list("name=project-1")["projects"]
        self.assertEqual(["project-1"], [project["name"] for project in named])

    def test_unknown_id_returns_404(self) -> None:
        for path in ("projects/x", "domains/x", "projects?marker=x"):
            response = self.session.get(f"{self.cloud.auth_url}/{path}", raise_exc=False)
            self.assertEqual((404, "Not Found"), (response.status_code, response.json()["error"]["title"]), path)

    def test_projects_differ_in_optional_attributes(self) -> None:
        projects = self._list("limit=1000")["projects"]
        self.assertEqual({True, False}, {"description" in project for project in projects})
        self.assertEqual({True, False}, {"created_on" in project for project in projects})
        self.assertIn(None, [project.get("description", "") for project in projects])

    def test_gets_project_and_domain_by_id(self) -> None:
        self.assertEqual("project-0", self.identity.get_project(self.project_id).name)
        self.assertEqual("Default", self.identity.get_domain("default").name)

    def _requests_for_projects(self) -> int:
        return sum(entry["count"] for entry in self.cloud.requests.describe() if entry["path"] == "/v3/projects")

    def _list(self, query: str) -> dict[str, Any]:
        document: dict[str, Any] = self.session.get(f"{self.cloud.auth_url}/projects?{query}").json()
        return document


class ListLimitTest(sandbox.SandboxTestCase):
    settings = {"projects": 8, "list_limit": 4, "max_db_limit": 6}  # noqa: RUF012

    def test_list_limit_truncates_and_links_next(self) -> None:
        document = self.session.get(f"{self.cloud.auth_url}/projects").json()
        self.assertEqual((4, True), (len(document["projects"]), document["truncated"]))
        last = document["projects"][-1]["id"]
        self.assertEqual(f"{self.cloud.auth_url}/projects?marker={last}&limit=4", document["links"]["next"])

    def test_maximum_caps_requested_limit(self) -> None:
        document = self.session.get(f"{self.cloud.auth_url}/projects?limit=100").json()
        self.assertEqual((6, True), (len(document["projects"]), document["truncated"]))


class MaxDbLimitTest(sandbox.SandboxTestCase):
    settings = {"projects": 8, "max_db_limit": 6}  # noqa: RUF012

    def test_maximum_truncates_silently_without_limit(self) -> None:
        document = self.session.get(f"{self.cloud.auth_url}/projects").json()
        self.assertEqual(6, len(document["projects"]))
        self.assertNotIn("truncated", document)
        self.assertIsNone(document["links"]["next"])
