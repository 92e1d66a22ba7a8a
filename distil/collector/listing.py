# SPDX-License-Identifier: Apache-2.0
"""Compares Keystone's list of projects with a collector's scope, and with the projects that were in scope before."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from oslo_log import log

from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.collector.scope import Scope
from distil.collector.scope import UnmatchedEntry
from distil.db.tracked_projects import TrackedProject
from distil.text import pluralize

LOG = log.getLogger(__name__)


class Listing(NamedTuple):
    """The comparison.

    :param enabled: number of projects that Keystone lists, in scope or not.
    :param in_scope: those of them in scope.
    :param outside: the others of them.
    :param released: ids of those of them that this collector had in scope, and has not any more.
    :param doubtful: number of such projects that are not released, because they may belong in scope: an entry of what
        to include matches nothing.
    :param unmatched: the entries of the scope that match nothing.
    :param absent: tracked projects in scope that are not listed.
    """

    enabled: int
    in_scope: Sequence[model.Project]
    outside: Sequence[model.Project]
    released: Sequence[str]
    doubtful: int
    unmatched: Sequence[UnmatchedEntry]
    absent: Sequence[TrackedProject]


class ScopeListing:
    """Asks Keystone.

    :param collector: its name.
    """

    def __init__(self, collector: str, keystone: KeystoneProjects, scope: Scope) -> None:
        self._collector = collector
        self._keystone = keystone
        self._scope = scope

    def load(self, tracked: Mapping[str, TrackedProject]) -> Listing:
        """Ask, and compare.

        A project that another collector's scope has now is listed, so it has not departed.

        :param tracked: by project id.
        :raises IdentityError: Keystone gave no usable response.
        """
        enabled = self._keystone.enabled()
        listed = {project.id for project in enabled}
        absent = [project for project in tracked.values() if project.id not in listed]
        domain_ids = self._domain_ids(absent)
        unmatched = self._scope.unmatched(enabled, domain_ids)
        for entry in unmatched:
            LOG.error("[collector] %s", entry)
        for problem in self._scope.ids_as_names(enabled):
            LOG.warning("[collector] %s", problem)
        deleted = {domain_id for domain_id, found in domain_ids.items() if found is None}
        orphaned = [project for project in absent if project.domain_id in deleted]
        others = [project for project in absent if project.domain_id not in deleted]
        selected = self._scope.select([*enabled, *map(as_project, others)], domain_ids)
        ids = {project.id for project in selected}
        own = [project for project in tracked.values() if project.in_scope_of == self._collector]
        dropped = [project for project in own if project.id in listed and project.id not in ids]
        doubtful = dropped if any(entry.includes for entry in unmatched) else []
        self._report_doubtful(doubtful)
        return Listing(
            enabled=len(enabled),
            in_scope=[project for project in selected if project.id in listed],
            outside=[project for project in enabled if project.id not in ids],
            released=[] if doubtful else [project.id for project in dropped],
            doubtful=len(doubtful),
            unmatched=unmatched,
            absent=[project for project in others if project.id in ids] + self._own(orphaned),
        )

    def _report_doubtful(self, projects: Sequence[TrackedProject]) -> None:
        if projects:
            LOG.error(
                "Collector %s: %s no longer in scope and not collected, such as %s (%s), while an entry of"
                " include_domains or include_projects matches nothing: was it renamed? Correct or remove the entry.",
                self._collector,
                pluralize(len(projects), "project is", "projects are"),
                projects[0].id,
                projects[0].name,
            )

    def _domain_ids(self, absent: Iterable[TrackedProject]) -> Mapping[str, str | None]:
        """Domain id by entry of the scope; with the domains of the absent projects, which may have been deleted."""
        entries = self._scope.domains
        if entries:
            entries |= {project.domain_id for project in absent if project.domain_id}
        return self._keystone.domain_ids(entries)

    def _own(self, orphaned: Iterable[TrackedProject]) -> list[TrackedProject]:
        """The projects of this collector, of those that were deleted together with their domain.

        The scope's entry for the domain's name matches nothing any more.
        """
        own = {project.id: project for project in orphaned if project.in_scope_of == self._collector}
        selected = self._scope.without_domains().select(map(as_project, own.values()), {})
        return [own[project.id] for project in selected]


def as_project(tracked: TrackedProject) -> model.Project:
    """The project, as far as it is stored."""
    return model.Project(tracked.id, tracked.name, tracked.domain_id or "")
