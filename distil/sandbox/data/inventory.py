# SPDX-License-Identifier: Apache-2.0
"""What the cloud offers: flavors, volume types, public images, storage policies, container names."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Flavor:
    """A flavor.

    :param ram: in MiB.
    :param disk: in GiB.
    """

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int


@dataclasses.dataclass(frozen=True, slots=True)
class VolumeType:
    id: str
    name: str
    is_public: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """An image.

    :param os_distro: None if the property is not set.
    """

    id: str
    name: str
    os_distro: str | None


FLAVORS = (
    Flavor("28153197-6690-4485-9dbc-fc24489b0683", "c1.c1r1", 1, 1024, 10),
    Flavor("6371ec4a-47d1-4159-a42f-83b84b80eea7", "c1.c2r4", 2, 4096, 20),
    Flavor("45060aa3-3400-4da0-bd9d-9559e172f678", "c1.c4r8", 4, 8192, 40),
    Flavor("42", "db1.c1r2", 1, 2048, 10),
)

VOLUME_TYPES = (
    VolumeType("5b1ea1a0-9cfb-4a3b-a7ee-0b9c4b5f0fd1", "b1.standard"),
    VolumeType("7e9d4c8e-3a5e-4f0e-8a51-2a9a6f1f7f52", "b1.sr-r3-nvme-1000"),
    VolumeType("c1c7a0d3-0b2f-4d88-9e65-d1b9f0c3a753", "b1.private-nvme", is_public=False),
)

PUBLIC_IMAGES = (
    Image("83833f4f-5d09-44cd-9e23-b0786fc580fd", "ubuntu-24.04-x86_64", "ubuntu"),
    Image("d105b4bd-a2f0-4a7e-a1b0-1c8f0d7e2f36", "windows-server-2022-x86_64", "windows"),
    Image("f595d7ff-69a4-4b2c-9d3f-5f4c8a1b7e08", "homemade", None),
)

# None is a container without the header X-Storage-Policy.
_STORAGE_POLICIES = ("o1.standard", "o1.sr-r3", "o1.standard", None)

CONTAINER_NAMES = ("backups", "what?", "issue #1", "with blanks", "überraschung", "日本", "a+b&c=d", "100%", "🚀")

AVAILABILITY_ZONE = "zone-1"


def flavor_of(index: int) -> Flavor:
    """Return the flavor of an instance. The last flavor is reserved for databases."""
    return FLAVORS[index % (len(FLAVORS) - 1)]


def volume_type_of(index: int) -> VolumeType:
    return VOLUME_TYPES[index % len(VOLUME_TYPES)]


def public_image_of(index: int) -> Image:
    return PUBLIC_IMAGES[index // 2 % len(PUBLIC_IMAGES)]


def boots_from_volume(index: int) -> bool:
    return index % 2 == 1


def container_name_of(index: int) -> str:
    rounds, position = divmod(index, len(CONTAINER_NAMES))
    return CONTAINER_NAMES[position] + (f" {rounds}" if rounds else "")


def container_index_of(name: str) -> int | None:
    """Return the index of the container with this name, or None if no container has such a name."""
    for position, base in enumerate(CONTAINER_NAMES):
        rest = name.removeprefix(base)
        if rest == name:
            continue
        rounds = rest.removeprefix(" ") if rest else "0"
        if rounds.isdecimal():
            index = int(rounds) * len(CONTAINER_NAMES) + position
            return index if container_name_of(index) == name else None
    return None


def storage_policy_of(index: int) -> str | None:
    return _STORAGE_POLICIES[index % len(_STORAGE_POLICIES)]
