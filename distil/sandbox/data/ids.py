# SPDX-License-Identifier: Apache-2.0
"""Ids that can be read back, so that a cloud of any size needs no table of its resources.

An id looks like the real one. Its tail is the project's number and the resource's index; its head is a digest over
them, which tells an id of this cloud from any other.
"""

import hashlib
import re
import uuid

_PROJECT_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_RESOURCE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def stable_id(*parts: object) -> str:
    """32 hexadecimal digits that are the same for the same parts, always."""
    return hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def project_id(seed: int, number: int) -> str:
    return stable_id(seed, "project", number)[:24] + f"{number:08x}"


def project_number(seed: int, identity: str) -> int | None:
    """The number of the project with this id; None where the cloud never made the id."""
    number = _hexadecimal(identity[24:])
    return number if number is not None and project_id(seed, number) == identity else None


def resource_id(seed: int, kind: str, project: int, index: int) -> str:
    head = stable_id(seed, kind, project, index)[:18]
    return str(uuid.UUID(hex=f"{head}{project:08x}{index:06x}"))


def locate(seed: int, kind: str, identity: str) -> tuple[int, int] | None:
    """Project number and index of the resource with this id; None where the cloud never made the id."""
    plain = identity.replace("-", "")
    project, index = _hexadecimal(plain[18:26]), _hexadecimal(plain[26:])
    if project is None or index is None or resource_id(seed, kind, project, index) != identity:
        return None
    return project, index


def referenced_projects(seed: int, text: str) -> frozenset[str]:
    """The ids of the projects that a text names, or whose resources it names."""
    owners = {int(found.replace("-", "")[18:26], 16) for found in _RESOURCE_ID.findall(text)}
    return frozenset({project_id(seed, number) for number in owners} | set(_PROJECT_ID.findall(text)))


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None
