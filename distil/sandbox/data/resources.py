# SPDX-License-Identifier: Apache-2.0
"""The resources of the cloud: the same number of each kind in every metered project."""

import array
import bisect
import functools
from collections.abc import Iterable
from collections.abc import Iterator

from distil.sandbox.data import ids
from distil.sandbox.data import inventory
from distil.sandbox.data.ids import ResourceLocation


class Resources:
    """Finds resources by ID.

    :param project_numbers: numbers of the metered projects.
    :param resources_per_project: number of resources of each kind in each of them.

    Once the order of IDs of a kind was needed, it is kept: eight bytes for each resource.
    """

    def __init__(self, seed: int, project_numbers: range, resources_per_project: int) -> None:
        self._seed = seed
        self._project_numbers = project_numbers
        self._resources_per_project = resources_per_project
        self._sorted_by_id = functools.lru_cache(maxsize=None)(self._sort_by_id)

    def id_of(self, kind: str, location: ResourceLocation) -> str:
        return ids.resource_id(self._seed, kind, location.project, location.index)

    def project_id(self, number: int) -> str:
        return ids.project_id(self._seed, number)

    def telemetry_id(self, kind: str, project: int, index: int) -> str:
        """Return the ID of a resource in its samples."""
        return telemetry_id(self._seed, kind, project, index)

    def locate(self, kind: str, identifier: str) -> ResourceLocation | None:
        """Return project number and index of the resource with this ID, or None without one."""
        location = ids.locate(self._seed, kind, identifier)
        return location if location is not None and self._exists(location) else None

    def of_projects(self, project_ids: Iterable[str]) -> list[ResourceLocation]:
        """Return the resources of any kind in projects; unknown projects have none."""
        numbers = {ids.project_number(self._seed, project_id) for project_id in project_ids}
        known = sorted(number for number in numbers if number is not None and number in self._project_numbers)
        return [ResourceLocation(number, index) for number in known for index in range(self._resources_per_project)]

    def after(self, kind: str, identifier: str) -> Iterator[ResourceLocation]:
        """Return the resources whose ID as one of a kind exceeds another, sorted by it."""
        places = self._sorted_by_id(kind)
        first = bisect.bisect_right(places, identifier, key=lambda place: self.id_of(kind, self._at(place)))
        return (self._at(places[position]) for position in range(first, len(places)))

    def locate_container(self, project_id: str, name: str) -> int | None:
        """Return the index of a project's container, or None without one of this name."""
        number, index = ids.project_number(self._seed, project_id), inventory.container_index_of(name)
        if number is None or index is None or not self._exists(ResourceLocation(number, index)):
            return None
        return index

    def _sort_by_id(self, kind: str) -> "array.array[int]":
        """Return the numbers of all resources, sorted by their IDs as those of a kind."""
        count = len(self._project_numbers) * self._resources_per_project
        return array.array("Q", sorted(range(count), key=lambda place: self.id_of(kind, self._at(place))))

    def _at(self, place: int) -> ResourceLocation:
        position, index = divmod(place, self._resources_per_project)
        return ResourceLocation(self._project_numbers[position], index)

    def _exists(self, location: ResourceLocation) -> bool:
        return location.project in self._project_numbers and location.index in range(self._resources_per_project)


def telemetry_id(seed: int, kind: str, project: int, index: int) -> str:
    """Return the ID of a resource in its samples: a container's is its project and name."""
    if kind == "container":
        return f"{ids.project_id(seed, project)}/{inventory.container_name_of(index)}"
    return ids.resource_id(seed, kind, project, index)
