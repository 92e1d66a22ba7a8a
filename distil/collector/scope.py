# SPDX-License-Identifier: Apache-2.0
"""Selects the projects that a collector collects."""

import dataclasses
import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

from distil import exceptions
from distil import model

# How Keystone makes the IDs of projects.
_UUID = re.compile("[0-9a-f]{32}")


class UnmatchedEntry(NamedTuple):
    """An entry that matches no domain, or no enabled project, as after these were renamed.

    :param option: without its group.
    """

    option: str
    entry: str

    def __str__(self) -> str:
        if self.option.endswith("domains"):
            problem = f"domain {self.entry!r} of {self.option} does not exist in Keystone"
        else:
            problem = f"{self.entry!r} of {self.option} matches no enabled project name or ID"
        return f"{problem}; the entry {'includes' if self.includes else 'ignores'} no project"

    @property
    def includes(self) -> bool:
        """Whether projects are not collected because of it; else, projects may be collected that should not."""
        return self.option.startswith("include")


@dataclasses.dataclass(frozen=True)
class Scope:
    """Domains and projects to include or to ignore, by name or id. Without any, all projects are in scope.

    An entry that is the id of a project does not stand for projects of that name.

    A project has to pass the domain filter and the project filter. Includes take precedence: an ignore list only
    applies where the matching include list is empty, and an included project stays in scope if its domain is ignored.

    :raises ConfigurationError: an entry is both included and ignored.
    """

    include_domains: frozenset[str] = frozenset()
    ignore_domains: frozenset[str] = frozenset()
    include_projects: frozenset[str] = frozenset()
    ignore_projects: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        problems = [
            f"{entry!r} is in both include_{kind} and ignore_{kind}; remove it from one of them"
            for kind, entries in (
                ("domains", self.include_domains & self.ignore_domains),
                ("projects", self.include_projects & self.ignore_projects),
            )
            for entry in sorted(entries)
        ]
        if problems:
            raise exceptions.ConfigurationError(problems)

    @property
    def domains(self) -> frozenset[str]:
        """The entries that have to be looked up in Keystone."""
        return self.include_domains | self.ignore_domains

    def unmatched(
        self, projects: Iterable[model.Project], domain_ids: Mapping[str, str | None]
    ) -> list[UnmatchedEntry]:
        """The entries that match nothing.

        :param projects: all enabled ones.
        :param domain_ids: domain id by entry, None for a domain that does not exist.
        """
        known = {text for project in projects for text in (project.id, project.name)}
        options = (
            ("include_domains", {entry for entry in self.include_domains if domain_ids.get(entry) is None}),
            ("ignore_domains", {entry for entry in self.ignore_domains if domain_ids.get(entry) is None}),
            ("include_projects", self.include_projects - known),
            ("ignore_projects", self.ignore_projects - known),
        )
        return [UnmatchedEntry(option, entry) for option, entries in options for entry in sorted(entries)]

    def ids_as_names(self, projects: Iterable[model.Project]) -> list[str]:
        """A sentence for each project entry that looks like an id, and matches a project only by its name."""
        projects = list(projects)
        names = {project.name: project.id for project in projects}
        entries = (self.include_projects | self.ignore_projects) - {project.id for project in projects}
        return [
            f"{entry!r} is not the ID of an enabled project, but the name of {names[entry]}, which it matches"
            for entry in sorted(entries & names.keys())
            if _UUID.fullmatch(entry)
        ]

    def without_domains(self) -> "Scope":
        """The scope without regard to domains."""
        return dataclasses.replace(self, include_domains=frozenset(), ignore_domains=frozenset())

    def may_share(self, other: "Scope") -> bool:
        """Whether a project may be in both scopes, as far as the entries tell."""
        mine, others = (
            # An ignored domain does not exclude an included project.
            (scope.include_domains, frozenset() if scope.include_projects else scope.ignore_domains)
            for scope in (self, other)
        )
        return _may_share(mine, others) and _may_share(
            (self.include_projects, self.ignore_projects), (other.include_projects, other.ignore_projects)
        )

    def select(self, projects: Iterable[model.Project], domain_ids: Mapping[str, str | None]) -> list[model.Project]:
        """The projects in scope.

        :param projects: all of them: an entry may be the id of one and the name of another.
        :param domain_ids: domain id by entry, None for a domain that does not exist: including only such a domain
            includes no project.
        """
        projects = list(projects)
        included = {domain_ids.get(entry) for entry in self.include_domains}
        ignored = {domain_ids.get(entry) for entry in self.ignore_domains}
        ids = {project.id for project in projects}
        include_names, ignore_names = self.include_projects - ids, self.ignore_projects - ids

        def in_scope(project: model.Project) -> bool:
            if self.include_domains and project.domain_id not in included:
                return False
            if self.include_projects:
                return project.id in self.include_projects or project.name in include_names
            if not self.include_domains and project.domain_id in ignored:
                return False
            return project.id not in self.ignore_projects and project.name not in ignore_names

        return [project for project in projects if in_scope(project)]


_Filter = tuple[frozenset[str], frozenset[str]]


def _may_share(one: _Filter, other: _Filter) -> bool:
    """Whether an entry may pass both filters, each of what it includes and ignores. Without includes, most do."""
    (included, ignored), (other_included, other_ignored) = one, other
    if included and other_included:
        return bool(included & other_included)
    if included or other_included:
        return bool((included - other_ignored) | (other_included - ignored))
    return True
