# SPDX-License-Identifier: Apache-2.0
"""Which resources exist: so many of each kind in every project that uses the cloud."""

from distil.sandbox.data import ids
from distil.sandbox.data import inventory


class Resources:
    """:param numbers: numbers of the projects that use the cloud.
    :param resources: how many resources of a kind each of them has.
    """

    def __init__(self, seed: int, project_numbers: range, resources_per_project: int) -> None:
        self._seed = seed
        self._numbers = project_numbers
        self._resources = resources_per_project

    def project_id(self, number: int) -> str:
        return ids.project_id(self._seed, number)

    def telemetry_id(self, kind: str, project: int, index: int) -> str:
        """The id of a resource."""
        return telemetry_id(self._seed, kind, project, index)

    def locate(self, kind: str, identity: str) -> tuple[int, int] | None:
        """Project number and index of a resource; None where there is none with this id."""
        found = ids.locate(self._seed, kind, identity)
        return found if found is not None and self._exists(*found) else None

    def locate_container(self, project_id: str, name: str) -> int | None:
        """The index of a project's container; None where there is none with this name."""
        number, index = ids.project_number(self._seed, project_id), inventory.container_index_of(name)
        if number is None or index is None or not self._exists(number, index):
            return None
        return index

    def _exists(self, project: int, index: int) -> bool:
        return project in self._numbers and index in range(self._resources)


def telemetry_id(seed: int, kind: str, project: int, index: int) -> str:
    """The id of a resource, as telemetry has it."""
    if kind == "container":
        return f"{ids.project_id(seed, project)}/{inventory.container_name_of(index)}"
    return ids.resource_id(seed, kind, project, index)
