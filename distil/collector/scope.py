# SPDX-License-Identifier: Apache-2.0
"""Which projects a collector collects."""

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

from distil import exceptions
from distil import model


@dataclasses.dataclass(frozen=True)
class Scope:
    """Domains and projects to include or to ignore, each by name or id. Without any, all projects are in scope.

    A project has to pass both the domains' filter and the projects' filter. Where something is included, only that is;
    what is to be ignored counts where nothing is included. A project that is named does not lose its place because its
    domain is ignored.

    :raises ConfigurationError: an entry is included and ignored.
    """

    include_domains: frozenset[str] = frozenset()
    ignore_domains: frozenset[str] = frozenset()
    include_projects: frozenset[str] = frozenset()
    ignore_projects: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        problems = [
            f"{entry!r} stands both in include_{kind} and in ignore_{kind}; take it out of one of them"
            for kind, both in (
                ("domains", self.include_domains & self.ignore_domains),
                ("projects", self.include_projects & self.ignore_projects),
            )
            for entry in sorted(both)
        ]
        if problems:
            raise exceptions.ConfigurationError(problems)

    @property
    def domains(self) -> frozenset[str]:
        """The entries that have to be looked up in Keystone."""
        return self.include_domains | self.ignore_domains

    def unknown_projects(self, projects: Iterable[model.Project]) -> list[str]:
        """The entries for projects that name none of these."""
        known = {text for project in projects for text in (project.id, project.name)}
        return sorted((self.include_projects | self.ignore_projects) - known)

    def select(self, projects: Iterable[model.Project], domain_ids: Mapping[str, str | None]) -> list[model.Project]:
        """The projects in scope.

        :param domain_ids: entry -> id of the domain, None where there is none. A domain that does not exist holds no
            project: to include just that one includes nothing.
        """
        included = {domain_ids.get(entry) for entry in self.include_domains}
        ignored = {domain_ids.get(entry) for entry in self.ignore_domains}

        def in_scope(project: model.Project) -> bool:
            if self.include_domains and project.domain_id not in included:
                return False
            if self.include_projects:
                return not self.include_projects.isdisjoint((project.id, project.name))
            domain_counts = bool(self.include_domains) or project.domain_id not in ignored
            return domain_counts and self.ignore_projects.isdisjoint((project.id, project.name))

        return [project for project in projects if in_scope(project)]
