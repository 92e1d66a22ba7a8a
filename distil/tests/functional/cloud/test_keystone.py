# SPDX-License-Identifier: Apache-2.0
"""Project and domain lists from all kinds of Keystone responses."""

import unittest
from typing import Any

from distil import exceptions
from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import Response

PROJECTS = "/identity/v3/projects"
DOMAINS = "/identity/v3/domains"


def project(project_id: str, **properties: Any) -> dict[str, Any]:
    document = {"id": project_id, "name": f"name of {project_id}", "domain_id": "default", "description": ""}
    return {
        **document,
        "enabled": True,
        "is_domain": False,
        "parent_id": "default",
        "links": {},
        "tags": [],
        **properties,
    }


def page(*members: Any, following: str | None = None, collection: str = "projects", **more: Any) -> Response:
    return Response({collection: members, "links": {"next": following, "self": "", "previous": None}, **more})


class KeystoneProjectsTest(unittest.TestCase):
    def projects(self, responses: dict[str, Response], page_size: int = 1000) -> KeystoneProjects:
        self.cloud = self.enterContext(CloudServer(responses))
        return KeystoneProjects(self.cloud.connection(), page_size)

    def ids(self, responses: dict[str, Response], page_size: int = 1000) -> list[str]:
        return [found.id for found in self.projects(responses, page_size).enabled()]

    def test_reads_all_project_attributes(self) -> None:
        document = project("p1", description="Théâtre 😀", created_on="2026-01-02T03:04:05Z")
        expected = model.Project("p1", "name of p1", "default", "Théâtre 😀", "2026-01-02T03:04:05Z")
        self.assertEqual([expected], self.projects({PROJECTS: page(document)}).enabled())

    def test_optional_attributes_may_be_missing(self) -> None:
        bare = {"id": "p1", "name": "bare", "domain_id": "default", "enabled": True}
        found = self.projects({PROJECTS: page(bare, project("p2", description=None, created_on=None))}).enabled()
        self.assertEqual(model.Project("p1", "bare", "default"), found[0])
        self.assertEqual(("", None), (found[1].description, found[1].created_on))

    def test_requests_enabled_projects_with_limit(self) -> None:
        self.ids({PROJECTS: page()})
        self.assertEqual([f"GET {PROJECTS}?enabled=true&limit=1000"], self.cloud.service_request_lines)

    def test_short_page_is_followed(self) -> None:
        responses = {
            PROJECTS: page(project("p1"), project("p2")),
            f"{PROJECTS}?enabled=true&limit=1000&marker=p2": page(project("p3")),
            f"{PROJECTS}?enabled=true&limit=1000&marker=p3": page(),
        }
        self.assertEqual(["p1", "p2", "p3"], self.ids(responses))

    def test_capped_page_continues_at_last_entry(self) -> None:
        responses = {
            PROJECTS: page(project("p1"), following=f"{PROJECTS}?enabled=true&limit=2&marker=p2", truncated=True),
            f"{PROJECTS}?enabled=true&limit=2&marker=p1": page(project("p2")),
            f"{PROJECTS}?enabled=true&limit=2&marker=p2": page(project("p3")),
            f"{PROJECTS}?enabled=true&limit=2&marker=p3": page(),
        }
        self.assertEqual(["p1", "p2", "p3"], self.ids(responses, page_size=2))

    def test_excludes_disabled_projects_and_domains(self) -> None:
        members = project("p1"), project("p2", enabled=False), project("d1", is_domain=True, domain_id=None)
        self.assertEqual(["p1"], self.ids({PROJECTS: page(*members)}))

    def test_next_page_keeps_configured_endpoint(self) -> None:
        following = "http://internal.name/v3/projects?enabled=true&limit=2&marker=p2"
        responses = {
            PROJECTS: page(project("p1"), project("p2"), following=following, truncated=True),
            f"{PROJECTS}?enabled=true&limit=2&marker=p2": page(project("p3")),
            f"{PROJECTS}?enabled=true&limit=2&marker=p3": page(),
        }
        self.assertEqual(["p1", "p2", "p3"], self.ids(responses, page_size=2))

    def test_follows_pages_below_requested_size(self) -> None:
        responses = {
            PROJECTS: page(project("p1"), following=f"{PROJECTS}?limit=1&marker=p1", truncated=True),
            f"{PROJECTS}?enabled=true&limit=1000&marker=p1": page(),
        }
        self.assertEqual(["p1"], self.ids(responses))

    def test_truncated_answer_without_next_raises(self) -> None:
        projects = self.projects({PROJECTS: page(project("p1"), truncated=True)})
        with self.assertRaisesRegex(exceptions.IdentityError, "truncated the list to 1; unset or raise list_limit"):
            projects.enabled()

    def test_full_page_without_link_is_followed(self) -> None:
        responses = {
            PROJECTS: page(project("p1"), project("p2")),
            f"{PROJECTS}?enabled=true&limit=2&marker=p2": page(project("p3")),
            f"{PROJECTS}?enabled=true&limit=2&marker=p3": page(),
        }
        self.assertEqual(["p1", "p2", "p3"], self.ids(responses, page_size=2))

    def test_unpaged_keystone_returns_all_projects(self) -> None:
        for page_size in (1, 2, 3):
            members = [project(f"p{i}") for i in range(2)]
            self.assertEqual(["p0", "p1"], self.ids({PROJECTS: page(*members)}, page_size))

    def test_endless_pages_raise(self) -> None:
        projects = self.projects({PROJECTS: page(project("p1"), following=f"{PROJECTS}?marker=p1")})
        with self.assertRaisesRegex(exceptions.IdentityError, "paging does not end"):
            projects.enabled()

    def test_empty_page_with_link_raises(self) -> None:
        following = f"{PROJECTS}?limit=1000&marker=p1"
        later = {f"{PROJECTS}?enabled=true&limit=1000&marker=p1": page(following=following)}
        projects = self.projects({PROJECTS: page(project("p1"), following=following), **later})
        with self.assertRaisesRegex(exceptions.IdentityError, "paging does not end"):
            projects.enabled()

    def test_limit_with_ignored_markers_raises(self) -> None:
        members = [project(f"p{i}") for i in range(3)]
        longer = f"{PROJECTS}?enabled=true&limit=3&marker=p1"
        projects = self.projects({PROJECTS: page(*members[:2]), longer: page(*members)}, page_size=2)
        with self.assertRaisesRegex(exceptions.IdentityError, "ignores markers, and has more than 2 projects"):
            projects.enabled()

    def test_error_on_later_page_raises(self) -> None:
        for later in (Response(status=500), Response({"error": {}}, status=404), Response({"error": {}}, status=400)):
            responses = {
                PROJECTS: page(project("p1"), following=f"{PROJECTS}?marker=p1"),
                f"{PROJECTS}?enabled=true&limit=1000&marker=p1": later,
            }
            with self.subTest(later=later), self.assertRaises(exceptions.IdentityError):
                self.projects(responses).enabled()

    def test_unexpected_attribute_types_become_strings(self) -> None:
        malformed = project("p1", name=7, description=["d"], created_on=5)
        (found,) = self.projects({PROJECTS: page(malformed)}).enabled()
        self.assertEqual(("7", "['d']", "5"), (found.name, found.description, found.created_on))

    def test_malformed_answer_raises(self) -> None:
        bodies: tuple[Any, ...] = (
            {},
            {"projects": None},
            {"projects": {}},
            {"projects": [None]},
            {"projects": [{}]},
            [],
            None,
            b"<html>",
        )
        for body in (*bodies, {"projects": [project("")]}):
            with self.subTest(body=body), self.assertRaises(exceptions.IdentityError):
                self.projects({PROJECTS: Response(body)}).enabled()


class DomainIdsTest(unittest.TestCase):
    def domain_ids(self, *entries: str) -> dict[str, str | None]:
        domains = [{"id": "default", "name": "Default"}, {"id": "d2", "name": "d3"}, {"id": "d3", "name": "internal"}]
        response = page(*domains, collection="domains")
        self.cloud = self.enterContext(CloudServer({DOMAINS: response}))
        return KeystoneProjects(self.cloud.connection()).domain_ids(entries)

    def test_finds_domain_by_id_and_name(self) -> None:
        self.assertEqual({"default": "default", "Default": "default"}, self.domain_ids("default", "Default"))

    def test_unknown_domain_maps_to_none(self) -> None:
        self.assertEqual({"nowhere": None, "internal": "d3"}, self.domain_ids("nowhere", "internal"))

    def test_id_wins_over_name(self) -> None:
        self.assertEqual({"d3": "d3"}, self.domain_ids("d3"))

    def test_no_entries_send_no_request(self) -> None:
        self.assertEqual({}, self.domain_ids())
        self.assertEqual([], self.cloud.request_lines)

    def test_all_entries_share_one_list(self) -> None:
        self.domain_ids("default", "d2", "nowhere")
        requests = [f"GET {DOMAINS}?limit=1000", f"GET {DOMAINS}?limit=1000&marker=d3"]
        self.assertEqual(requests, self.cloud.service_request_lines)
