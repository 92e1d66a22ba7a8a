# SPDX-License-Identifier: Apache-2.0
"""Which projects are in scope."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from distil import exceptions
from distil import model
from distil.collector.scope import Scope

# Two domains with two projects each; "web" is a name in both.
PROJECTS = [
    model.Project("p1", "web", "d1"),
    model.Project("p2", "mail", "d1"),
    model.Project("p3", "web", "d2"),
    model.Project("p4", "shop", "d2"),
]
DOMAINS = {"one": "d1", "d1": "d1", "two": "d2", "d2": "d2", "nowhere": None}


def ids(**entries: list[str]) -> list[str]:
    scope = Scope(**{name: frozenset(values) for name, values in entries.items()})
    return [project.id for project in scope.select(PROJECTS, DOMAINS)]


class ScopeTest(unittest.TestCase):
    def test_all_projects_are_in_scope_without_filters(self) -> None:
        self.assertEqual(["p1", "p2", "p3", "p4"], ids())

    def test_domains_are_included_by_name_and_by_id(self) -> None:
        self.assertEqual(["p1", "p2"], ids(include_domains=["one"]))
        self.assertEqual(["p3", "p4"], ids(include_domains=["d2"]))

    def test_domains_are_ignored_by_name_and_by_id(self) -> None:
        self.assertEqual(["p3", "p4"], ids(ignore_domains=["one"]))
        self.assertEqual(["p1", "p2"], ids(ignore_domains=["d2"]))

    def test_projects_are_included_by_name_and_by_id(self) -> None:
        self.assertEqual(["p1", "p3"], ids(include_projects=["web"]))
        self.assertEqual(["p4"], ids(include_projects=["p4"]))

    def test_projects_are_ignored_by_name_and_by_id(self) -> None:
        self.assertEqual(["p2", "p4"], ids(ignore_projects=["web"]))
        self.assertEqual(["p1", "p2", "p3"], ids(ignore_projects=["p4"]))

    def test_projects_of_included_domains_can_be_ignored(self) -> None:
        self.assertEqual(["p2"], ids(include_domains=["one"], ignore_projects=["web"]))

    def test_an_included_project_must_be_of_an_included_domain(self) -> None:
        self.assertEqual(["p3"], ids(include_domains=["two"], include_projects=["web"]))

    def test_including_wins_over_ignoring(self) -> None:
        self.assertEqual(["p1", "p2"], ids(include_domains=["one"], ignore_domains=["d1"]))
        self.assertEqual(["p1", "p3"], ids(include_projects=["web"], ignore_projects=["p1"]))
        self.assertEqual(["p4"], ids(include_projects=["shop"], ignore_domains=["two"]))

    def test_including_only_a_domain_that_does_not_exist_includes_nothing(self) -> None:
        self.assertEqual([], ids(include_domains=["nowhere"]))

    def test_ignoring_a_domain_that_does_not_exist_ignores_nothing(self) -> None:
        self.assertEqual(["p1", "p2", "p3", "p4"], ids(ignore_domains=["nowhere"]))

    def test_entries_that_name_no_project_are_found(self) -> None:
        scope = Scope(include_projects=frozenset(["web", "none", "p4"]), ignore_projects=frozenset(["gone"]))
        self.assertEqual(["gone", "none"], scope.unknown_projects(PROJECTS))

    def test_the_same_entry_included_and_ignored_is_refused_with_its_name(self) -> None:
        with self.assertRaisesRegex(exceptions.ConfigurationError, "'one'.*include_domains.*ignore_domains"):
            ids(include_domains=["one"], ignore_domains=["one", "two"])
        with self.assertRaisesRegex(exceptions.ConfigurationError, "'web'.*include_projects.*ignore_projects"):
            ids(include_projects=["web"], ignore_projects=["web"])

    @given(st.sets(st.sampled_from(["one", "d2", "nowhere"])), st.sets(st.sampled_from(["web", "p4", "none"])))
    def test_two_collectors_that_include_and_ignore_the_same_share_the_cloud_out(
        self, domains: set[str], projects: set[str]
    ) -> None:
        if domains:
            self.assertCountEqual(ids(), ids(include_domains=sorted(domains)) + ids(ignore_domains=sorted(domains)))
        if projects:
            self.assertCountEqual(ids(), ids(include_projects=sorted(projects)) + ids(ignore_projects=sorted(projects)))
