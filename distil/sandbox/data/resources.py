# SPDX-License-Identifier: Apache-2.0
"""The resources of the cloud: the same number of each kind in every metered project."""

from distil.sandbox.data import ids
from distil.sandbox.data import inventory
from distil.sandbox.data.ids import ResourceLocation


class Resources:
    """Finds resources by ID.

    :param project_numbers: numbers of the metered projects.
    :param resources_per_project: number of resources of each kind in each of them.
    """

    def __init__(self, seed: int, project_numbers: range, resources_per_project: int) -> None:
        self._seed = seed
        self._project_numbers = project_numbers
        self._resources_per_project = resources_per_project

    def project_id(self, number: int) -> str:
        return ids.project_id(self._seed, number)

    def telemetry_id(self, kind: str, project: int, index: int) -> str:
        """Return the ID of a resource in its samples."""
        return telemetry_id(self._seed, kind, project, index)

    def locate(self, kind: str, identifier: str) -> ResourceLocation | None:
        """Return project number and index of the resource with this ID, or None without one."""
        location = ids.locate(self._seed, kind, identifier)
        return location if location is not None and self._exists(location) else None

    def locate_container(self, project_id: str, name: str) -> int | None:
        """Return the index of a project's container, or None without one of this name."""
        number, index = ids.project_number(self._seed, project_id), inventory.container_index_of(name)
        if number is None or index is None or not self._exists(ResourceLocation(number, index)):
            return None
        return index

    def _exists(self, location: ResourceLocation) -> bool:
        return location.project in self._project_numbers and location.index in range(self._resources_per_project)


def telemetry_id(seed: int, kind: str, project: int, index: int) -> str:
    """Return the ID of a resource in its samples: a container's is its project and name."""
    if kind == "container":
        return f"{ids.project_id(seed, project)}/{inventory.container_name_of(index)}"
    return ids.resource_id(seed, kind, project, index)
