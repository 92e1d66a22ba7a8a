# SPDX-License-Identifier: Apache-2.0
"""The domains and projects of the cloud."""

import datetime
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data import ids

_DOMAINS = ("Default", "customers", "internal-tools", "heat")
SERVICE_PROJECT = "service"


class SandboxProjects:
    """Numbered projects: the enabled ones, then the disabled ones, then the project of the cloud's own services.

    IDs remain, and so do the samples, if a project is changed or deleted.

    :param enabled: number of enabled projects.
    :param disabled: number of disabled projects, which have samples all the same.
    :param created: creation time, in those projects that have one.
    :ivar metered_numbers: numbers of the projects with samples.
    """

    def __init__(self, seed: int, enabled: int, disabled: int, created: datetime.datetime) -> None:
        self._seed = seed
        self._created = created
        self._enabled = enabled
        self.metered_numbers = range(enabled + disabled)
        self._service = enabled + disabled
        self._changes: dict[str, Mapping[str, Any] | None] = {}
        self.domains = [self._domain(name) for name in _DOMAINS]
        self.sorted_ids = sorted(ids.project_id(seed, number) for number in range(self._service + 1))

    @property
    def enabled_ids(self) -> list[str]:
        """IDs of the projects with samples that were enabled at first, in the order of their numbers."""
        return [ids.project_id(self._seed, number) for number in range(self._enabled)]

    @property
    def service_id(self) -> str:
        return ids.project_id(self._seed, self._service)

    def find(self, identifier: str) -> dict[str, Any] | None:
        """Return the project with this ID as Keystone does, or None without one."""
        number = ids.project_number(self._seed, identifier)
        if number is None or number > self._service:
            return None
        changes = self._changes.get(identifier, {})
        if changes is None:
            return None
        project = self._service_project() if number == self._service else self._describe(number)
        return {**project, **changes}

    def update(self, identifier: str, attributes: Mapping[str, Any]) -> None:
        """Change a project's attributes, such as ``enabled``. A project that was deleted exists again."""
        self._changes[identifier] = {**(self._changes.get(identifier) or {}), **attributes}

    def delete(self, identifier: str) -> None:
        """Delete a project; its resources and their samples remain."""
        self._changes[identifier] = None

    def _describe(self, number: int) -> dict[str, Any]:
        project = self._base_document(number, self.domains[number % len(_DOMAINS)]["id"])
        if number % 4 == 1:
            del project["description"]
        elif number % 4 == 2:  # noqa: PLR2004
            project["description"] = None
        if number % 3 == 0:
            project["created_on"] = self._created.replace(tzinfo=None).isoformat()
        return project

    def _base_document(self, number: int, domain_id: str) -> dict[str, Any]:
        return {
            "id": ids.project_id(self._seed, number),
            "name": f"project-{number}" + (" 🚀" if number % 7 == 6 else ""),  # noqa: PLR2004
            "domain_id": domain_id,
            "parent_id": domain_id,
            "description": f"synthetic project {number}",
            "enabled": number < self._enabled,
            "is_domain": False,
            "tags": [],
            "options": {},
        }

    def _service_project(self) -> dict[str, Any]:
        return {**self._base_document(self._service, "default"), "name": SERVICE_PROJECT, "enabled": True}

    def _domain(self, name: str) -> dict[str, Any]:
        return {
            "id": "default" if name == "Default" else ids.stable_id(self._seed, "domain", name),
            "name": name,
            "description": f"{name} domain",
            "enabled": True,
            "tags": [],
            "options": {},
        }
