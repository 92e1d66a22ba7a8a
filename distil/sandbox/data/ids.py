# SPDX-License-Identifier: Apache-2.0
"""IDs that encode what they identify, so that a cloud of any size needs no table of its resources.

An ID has the format of a real one. Its tail encodes the project's number and the resource's index; its head is a digest
of them, by which IDs of other clouds are recognized.
"""

import dataclasses
import hashlib
import re

_PROJECT_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_RESOURCE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceLocation:
    """The resource that an ID encodes.

    :param project: the project's number.
    :param index: of the resource among those of its kind in the project.
    """

    project: int
    index: int


def stable_id(*parts: object) -> str:
    """Return 32 hexadecimal digits that depend on nothing but the parts."""
    return hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def project_id(seed: int, number: int) -> str:
    return stable_id(seed, "project", number)[:24] + f"{number:08x}"


def project_number(seed: int, identifier: str) -> int | None:
    """Return the number of the project with this ID, or None if the ID is not of this cloud."""
    number = _parse_hexadecimal(identifier[24:])
    return number if number is not None and project_id(seed, number) == identifier else None


def resource_id(seed: int, kind: str, project: int, index: int) -> str:
    digits = f"{stable_id(seed, kind, project, index)[:18]}{project:08x}{index:06x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def locate(seed: int, kind: str, identifier: str) -> ResourceLocation | None:
    """Return what the ID of a resource encodes, or None if the ID is not of this cloud or of another kind."""
    digits = identifier.replace("-", "")
    project, index = _parse_hexadecimal(digits[18:26]), _parse_hexadecimal(digits[26:])
    if project is None or index is None or resource_id(seed, kind, project, index) != identifier:
        return None
    return ResourceLocation(project, index)


def referenced_projects(seed: int, text: str) -> frozenset[str]:
    """Return the IDs of the projects whose ID, or a resource's ID, occurs in a text."""
    owners = {int(match.replace("-", "")[18:26], 16) for match in _RESOURCE_ID.findall(text)}
    return frozenset({project_id(seed, number) for number in owners} | set(_PROJECT_ID.findall(text)))


def _parse_hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None
