# SPDX-License-Identifier: Apache-2.0
"""Which resources exist: so many of each kind in every project that uses the cloud."""

from distil.sandbox.data import ids
from distil.sandbox.data import inventory


class Resources:
    """:param numbers: numbers of the projects that use the cloud.
    :param resources: how many resources of a kind each of them has.
    """

    def __init__(self, seed: int, numbers: range, resources: int) -> None:
        self._seed = seed
        self._numbers = numbers
        self._resources = resources

    def project_id(self, number: int) -> str:
        return ids.project_id(self._seed, number)

    def resource_id(self, kind: str, project: int, index: int) -> str:
        """The id of a resource."""
        return resource_id(self._seed, kind, project, index)

    def locate(self, kind: str, identity: str) -> tuple[int, int] | None:
        """Project number and index of a resource; None where there is none with this id."""
        found = ids.locate(self._seed, kind, identity)
        return found if found is not None and self._exists(*found) else None

    def locate_container(self, project_id: str, name: str) -> int | None:
        """The index of a project's container; None where there is none with this name."""
        number, index = ids.project_number(self._seed, project_id), inventory.container_index(name)
        if number is None or index is None or not self._exists(number, index):
            return None
        return index

    def _exists(self, project: int, index: int) -> bool:
        return project in self._numbers and index in range(self._resources)


def resource_id(seed: int, kind: str, project: int, index: int) -> str:
    """The id of a resource, as telemetry has it."""
    if kind == "container":
        return f"{ids.project_id(seed, project)}/{inventory.container_name(index)}"
    return ids.resource_id(seed, kind, project, index)
