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


def may_share(one: dict[str, str], other: dict[str, str]) -> bool:
    scopes = [Scope(**{name: frozenset((value,)) for name, value in entries.items()}) for entries in (one, other)]
    found = {scopes[0].may_share(scopes[1]), scopes[1].may_share(scopes[0])}
    (result,) = found
    return result


class SharedProjectsTest(unittest.TestCase):
    def test_complementary_scopes_share_nothing(self) -> None:
        for kind in ("domains", "projects"):
            self.assertFalse(may_share({f"include_{kind}": "a"}, {f"ignore_{kind}": "a"}))
            self.assertFalse(may_share({f"include_{kind}": "a"}, {f"include_{kind}": "b"}))

    def test_overlapping_scopes_may_share(self) -> None:
        self.assertTrue(may_share({}, {}))
        for kind in ("domains", "projects"):
            self.assertTrue(may_share({f"include_{kind}": "a"}, {}))
            self.assertTrue(may_share({f"include_{kind}": "a"}, {f"ignore_{kind}": "b"}))
            self.assertTrue(may_share({f"ignore_{kind}": "a"}, {f"ignore_{kind}": "b"}))

    def test_included_project_outranks_ignored_domain(self) -> None:
        self.assertTrue(may_share({"include_projects": "p", "ignore_domains": "a"}, {"include_domains": "a"}))


class ScopeTest(unittest.TestCase):
    def test_no_filters_select_all_projects(self) -> None:
        self.assertEqual(["p1", "p2", "p3", "p4"], ids())

    def test_include_domains_matches_name_and_id(self) -> None:
        self.assertEqual(["p1", "p2"], ids(include_domains=["one"]))
        self.assertEqual(["p3", "p4"], ids(include_domains=["d2"]))

    def test_ignore_domains_matches_name_and_id(self) -> None:
        self.assertEqual(["p3", "p4"], ids(ignore_domains=["one"]))
        self.assertEqual(["p1", "p2"], ids(ignore_domains=["d2"]))

    def test_include_projects_matches_name_and_id(self) -> None:
        self.assertEqual(["p1", "p3"], ids(include_projects=["web"]))
        self.assertEqual(["p4"], ids(include_projects=["p4"]))

    def test_ignore_projects_matches_name_and_id(self) -> None:
        self.assertEqual(["p2", "p4"], ids(ignore_projects=["web"]))
        self.assertEqual(["p1", "p2", "p3"], ids(ignore_projects=["p4"]))

    def test_ignore_projects_narrows_included_domains(self) -> None:
        self.assertEqual(["p2"], ids(include_domains=["one"], ignore_projects=["web"]))

    def test_included_project_needs_included_domain(self) -> None:
        self.assertEqual(["p3"], ids(include_domains=["two"], include_projects=["web"]))

    def test_include_overrides_ignore(self) -> None:
        self.assertEqual(["p1", "p2"], ids(include_domains=["one"], ignore_domains=["d1"]))
        self.assertEqual(["p1", "p3"], ids(include_projects=["web"], ignore_projects=["p1"]))
        self.assertEqual(["p4"], ids(include_projects=["shop"], ignore_domains=["two"]))

    def test_unknown_included_domain_selects_nothing(self) -> None:
        self.assertEqual([], ids(include_domains=["nowhere"]))

    def test_unknown_ignored_domain_ignores_nothing(self) -> None:
        self.assertEqual(["p1", "p2", "p3", "p4"], ids(ignore_domains=["nowhere"]))

    def test_unmatched_entries_are_told(self) -> None:
        scope = Scope(
            include_domains=frozenset(["one", "nowhere"]),
            ignore_domains=frozenset(["nobody"]),
            include_projects=frozenset(["web", "none", "p4"]),
            ignore_projects=frozenset(["gone"]),
        )
        self.assertEqual(
            [
                "domain 'nowhere' of include_domains does not exist in Keystone; the entry includes no project",
                "domain 'nobody' of ignore_domains does not exist in Keystone; the entry ignores no project",
                "'none' of include_projects matches no enabled project name or ID; the entry includes no project",
                "'gone' of ignore_projects matches no enabled project name or ID; the entry ignores no project",
            ],
            [str(entry) for entry in scope.unmatched(PROJECTS, DOMAINS)],
        )

    def test_project_id_outranks_equal_name(self) -> None:
        named = model.Project("p5", "p1", "d1")
        for entries, expected in (({"ignore_projects": ["p1"]}, ["p5"]), ({"include_projects": ["p1"]}, ["p1"])):
            scope = Scope(**{name: frozenset(values) for name, values in entries.items()})
            selected = scope.select(iter([named, PROJECTS[0]]), {})
            self.assertEqual(expected, [project.id for project in selected])

    def test_id_that_is_a_name_is_told(self) -> None:
        uuid = "1f0f1e2b6ad04b4d9c9f4f3f3a9bb2bd"
        scope = Scope(ignore_projects=frozenset([uuid, "web"]))
        projects = [*PROJECTS, model.Project("p5", uuid, "d1")]
        (problem,) = scope.ids_as_names(projects)
        self.assertEqual([], scope.unmatched(projects, {}))
        self.assertIn(f"'{uuid}' is not the ID of an enabled project, but the name of p5", problem)

    def test_included_and_ignored_entry_is_rejected(self) -> None:
        with self.assertRaisesRegex(exceptions.ConfigurationError, "'one'.*include_domains.*ignore_domains"):
            ids(include_domains=["one"], ignore_domains=["one", "two"])
        with self.assertRaisesRegex(exceptions.ConfigurationError, "'web'.*include_projects.*ignore_projects"):
            ids(include_projects=["web"], ignore_projects=["web"])

    @given(st.sets(st.sampled_from(["one", "d2", "nowhere"])), st.sets(st.sampled_from(["web", "p4", "none"])))
    def test_complementary_filters_partition_projects(self, domains: set[str], projects: set[str]) -> None:
        if domains:
            self.assertCountEqual(ids(), ids(include_domains=sorted(domains)) + ids(ignore_domains=sorted(domains)))
        if projects:
            self.assertCountEqual(ids(), ids(include_projects=sorted(projects)) + ids(ignore_projects=sorted(projects)))
