# SPDX-License-Identifier: Apache-2.0
"""Projects with samples that no run has seen, as those that were created and deleted between two runs."""

from collections.abc import Collection
from collections.abc import Mapping

from distil.cloud.keystone import KeystoneProjects
from distil.collector.scope import Scope
from distil.db.collected_windows import CollectedWindows


class Strangers:
    """Finds out which projects should have been collected."""

    def __init__(self, keystone: KeystoneProjects, scope: Scope, windows: CollectedWindows) -> None:
        self._keystone = keystone
        self._scope = scope
        self._windows = windows

    def in_scope(self, project_ids: Collection[str]) -> set[str]:
        """Those of projects that are not stored that a run would have collected.

        That of a disabled project is collected once it is enabled, as far back as the maximum start age.

        :raises IdentityError: Keystone gave no usable answer.
        :raises StoreError: the database failed.
        """
        strangers = set(project_ids) - self._windows.out_of_scope(project_ids)
        if not strangers:
            return set()
        deleted = strangers - self._keystone.ids()
        listed = strangers - deleted
        found = {project_id for project_id in deleted if self._may_be_in_scope(project_id)}
        if listed:
            domain_ids: Mapping[str, str | None] = self._keystone.domain_ids(self._scope.domains)
            selected = self._scope.select(self._keystone.enabled(), domain_ids)
            found |= listed & {project.id for project in selected}
        return found

    def _may_be_in_scope(self, project_id: str) -> bool:
        """Whether a deleted project may have been in scope, of which neither name nor domain is known any more."""
        scope = self._scope
        if scope.include_domains:
            return False
        if scope.include_projects:
            return project_id in scope.include_projects
        return project_id not in scope.ignore_projects
