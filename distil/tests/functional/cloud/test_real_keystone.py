# SPDX-License-Identifier: Apache-2.0
"""Project and domain lists from a real Keystone."""

import unittest
import uuid
from typing import Any

from distil import exceptions
from distil import model
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.tests.support.real import keystone


class RealKeystoneTest(unittest.TestCase):
    def setUp(self) -> None:
        self.keystone = keystone.shared()
        self.session = self.keystone.session()
        self.domain_id = self.domain()

    def projects(self, page_size: int = 1000, **credentials: Any) -> KeystoneProjects:
        session = self.keystone.session(**credentials)
        return KeystoneProjects(Connection(session, self.keystone.region_name, "public"), page_size)

    def enabled(self, page_size: int = 1000) -> list[model.Project]:
        """The enabled projects of this test's domain."""
        return [project for project in self.projects(page_size).enabled() if project.domain_id == self.domain_id]

    def domain(self, **properties: Any) -> str:
        return self.create("domain", {"name": uuid.uuid4().hex, **properties})

    def project(self, **properties: Any) -> str:
        return self.create("project", {"name": uuid.uuid4().hex, "domain_id": self.domain_id, **properties})

    def create(self, kind: str, document: dict[str, Any]) -> str:
        url = f"{self.keystone.auth_url}/{kind}s"
        return str(self.session.post(url, json={kind: document}).json()[kind]["id"])

    def change(self, kind: str, object_id: str, **properties: Any) -> None:
        self.session.patch(f"{self.keystone.auth_url}/{kind}s/{object_id}", json={kind: properties})

    def test_reads_all_project_attributes(self) -> None:
        created_on = "2026-01-02T03:04:05Z"
        project_id = self.project(name="Théâtre 😀", description="All of it", created_on=created_on)
        expected = model.Project(project_id, "Théâtre 😀", self.domain_id, "All of it", created_on)
        self.assertEqual([expected], self.enabled())

    def test_optional_attributes_may_be_missing(self) -> None:
        project_ids = {self.project(), self.project(description=None)}
        self.assertEqual(project_ids, {project.id for project in self.enabled()})
        self.assertEqual({("", None)}, {(project.description, project.created_on) for project in self.enabled()})

    def test_excludes_disabled_projects_and_domains(self) -> None:
        project_id, disabled_id = self.project(), self.project(enabled=False)
        found = {project.id for project in self.projects().enabled()}
        self.assertEqual({project_id}, found & {project_id, disabled_id, self.domain_id})

    def test_includes_nested_projects(self) -> None:
        parent_id = self.project()
        self.assertEqual({parent_id, self.project(parent_id=parent_id)}, {project.id for project in self.enabled()})

    def test_includes_projects_of_disabled_domain(self) -> None:
        project_id = self.project()
        self.change("domain", self.domain_id, enabled=False)
        self.assertEqual([project_id], [project.id for project in self.enabled()])

    def test_every_page_size_returns_all_projects(self) -> None:
        project_ids = sorted(self.project() for _ in range(5))
        for page_size in (1, 2, 3, 5, 1000):
            with self.subTest(page_size=page_size):
                self.assertEqual(project_ids, sorted(project.id for project in self.enabled(page_size)))

    def test_paged_domains_match_id_and_name(self) -> None:
        domains = [self.domain(name=f"a name {uuid.uuid4().hex}") for _ in range(3)]
        names = {
            self.session.get(f"{self.keystone.auth_url}/domains/{domain_id}").json()["domain"]["name"]
            for domain_id in domains
        }
        found = self.projects(page_size=1).domain_ids([*domains, *names, "Default", "nowhere"])
        self.assertEqual({domain_id: domain_id for domain_id in domains}, {key: found[key] for key in domains})
        self.assertEqual(set(domains), {found[name] for name in names})
        self.assertEqual((self.keystone.domain_id, None), (found["Default"], found["nowhere"]))

    def test_finds_disabled_domain(self) -> None:
        domain_id = self.domain(enabled=False)
        self.assertEqual({domain_id: domain_id}, self.projects().domain_ids([domain_id]))

    def test_wrong_password_raises_without_revealing_it(self) -> None:
        with self.assertRaisesRegex(exceptions.IdentityError, "HTTP 401") as caught:
            self.projects(password="a-wrong-secret").enabled()
        self.assertNotIn("a-wrong-secret", str(caught.exception))

    def test_unknown_project_raises(self) -> None:
        with self.assertRaises(exceptions.IdentityError):
            self.projects(project_name="nowhere").enabled()
