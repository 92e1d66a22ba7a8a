# SPDX-License-Identifier: Apache-2.0
"""The meters of the cloud: volumes and metadata of their samples.

A volume is a pure function of the resource's salt, which depends on seed, project, meter and index, and of the number
of ten-minute ticks since 1970. Metadata is a function of the resource and its version: three resources of eight change
every one and a half hours, between two versions. Metadata values are strings, as in Ceilometer's API.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping

from distil.sandbox.data import ids
from distil.sandbox.data import inventory
from distil.sandbox.data import resources

TICKS_PER_HOUR = 6

TICKS_PER_VERSION = 9
_INDEX_PERIOD = 8
_RESIZED, _STOPPED, _RENAMED = 5, 6, 7


@dataclasses.dataclass(frozen=True, slots=True)
class MeteredResource:
    """A resource with samples.

    :param project: the project's number.
    :param index: of the resource among those of its kind in the project.
    :param salt: makes the volumes of this resource differ from those of others.
    """

    seed: int
    project: int
    project_id: str
    index: int
    id: str
    salt: int

    def sibling_id(self, kind: str) -> str:
        """Return the ID of the resource of another kind with the same project and index."""
        return ids.resource_id(self.seed, kind, self.project, self.index)


_VolumeFunction = Callable[[MeteredResource, int], float]
_MetadataFunction = Callable[[MeteredResource, int], Mapping[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Meter:
    """A meter.

    :param kind: of the resources; meters of the same kind share their resources.
    :param volume: computes the volume from a resource and a tick.
    :param metadata: computes the metadata of a resource's samples from the resource and its version.
    :param source: of the samples; if it begins with a colon, the project's ID precedes it.
    """

    name: str
    kind: str
    unit: str
    volume: _VolumeFunction
    metadata: _MetadataFunction
    type: str = "gauge"
    source: str = "openstack"


def versions(index: int) -> range:
    """Return the versions of the resource with this index: 0, and 1 if it changes."""
    return range(2 if index % _INDEX_PERIOD >= _RESIZED else 1)


def version_at(index: int, tick: int) -> int:
    """Return the version of a resource at a tick."""
    return tick // TICKS_PER_VERSION % len(versions(index))


def changes(index: int, version: int, change: int) -> bool:
    """Whether a version of a resource differs from version 0 by this change."""
    return bool(version) and index % _INDEX_PERIOD == change


def instance_flavor(index: int, version: int) -> inventory.Flavor:
    return inventory.flavor_of(index + changes(index, version, _RESIZED))


def _name(prefix: str, index: int, version: int) -> str:
    return f"{prefix}-{index}" + (" renamed" if changes(index, version, _RENAMED) else "")


def _pseudo_random(salt: int, tick: int) -> int:
    """Return a deterministic number below 2 ** 32 that looks random."""
    mixed = (salt ^ (tick * 0x9E3779B1)) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 15)) * 0x85EBCA6B) & 0xFFFFFFFF


def _constant(_: MeteredResource, __: int) -> float:
    return 1.0


def _gigabytes(resource: MeteredResource, tick: int) -> float:
    grown = changes(resource.index, version_at(resource.index, tick), _RESIZED)
    return float(10 + resource.salt % 90 + 10 * grown)


def _bytes(resource: MeteredResource, _: int) -> float:
    return float(100_000_000 + resource.salt % 1_000_000_000)


def _growing_bytes(resource: MeteredResource, tick: int) -> float:
    return _bytes(resource, tick) + _pseudo_random(resource.salt, tick // TICKS_PER_HOUR) % 1_000_000


def _traffic(resource: MeteredResource, tick: int) -> float:
    return float(_pseudo_random(resource.salt, tick) % 10_000_000)


def _status_code(resource: MeteredResource, tick: int) -> float:
    """Return 1 (active) for nine ticks of ten, else 2 (inactive)."""
    return 1.0 if _pseudo_random(resource.salt, tick) % 10 else 2.0


def _named(prefix: str) -> _MetadataFunction:
    return lambda resource, version: {"name": _name(prefix, resource.index, version)}


def _instance(resource: MeteredResource, version: int) -> Mapping[str, str]:
    flavor = instance_flavor(resource.index, version)
    image_id = "None" if inventory.boots_from_volume(resource.index) else inventory.public_image_of(resource.index).id
    state = ("active", "active", "paused", "building")[resource.index % 4]
    if changes(resource.index, version, _STOPPED):
        state = "stopped"
    return {
        "display_name": _name("instance", resource.index, version),
        "host": ids.stable_id(resource.project_id, "host"),
        "status": state,
        "state": state,
        "instance_type": flavor.name,
        "flavor.id": flavor.id,
        "flavor.name": flavor.name,
        "flavor.vcpus": str(flavor.vcpus),
        "image_ref": image_id,
        "image_ref_url": "None" if image_id == "None" else f"http://image.example.com/images/{image_id}",
        "image_meta.base_image_ref": "" if image_id == "None" else image_id,
        "root_gb": str(flavor.disk),
        "OS-EXT-AZ:availability_zone": inventory.AVAILABILITY_ZONE,
        "availability_zone": inventory.AVAILABILITY_ZONE,
    }


def _volume(resource: MeteredResource, version: int) -> Mapping[str, str]:
    kind = inventory.volume_type_of(resource.index)
    return {
        "name": _name("volume", resource.index, version),
        "volume_id": resource.id,
        # Cinder's notifications contain the ID of the volume type, other publishers its name.
        "volume_type": kind.name if resource.index % 4 == 1 else kind.id,
        "availability_zone": inventory.AVAILABILITY_ZONE,
        "status": "in-use",
    }


def _database(resource: MeteredResource, version: int) -> Mapping[str, str]:
    return {
        "name": _name("database", resource.index, version),
        "status": ("ACTIVE", "HEALTHY", "BACKUP", "BUILD")[resource.index % 4],
        "datastore": "postgresql",
        "flavor.id": inventory.FLAVORS[-1].id,
        "volume.size": str(10 + resource.salt % 40),
        "volume_id": resource.sibling_id("database-volume"),
    }


def _cluster(resource: MeteredResource, version: int) -> Mapping[str, str]:
    return {
        "name": _name("cluster", resource.index, version),
        "status": "CREATE_FAILED" if resource.index % 4 == 3 else "CREATE_COMPLETE",  # noqa: PLR2004
        "node_count": str(1 + resource.salt % 5),
    }


def _address(resource: MeteredResource, _: int) -> Mapping[str, str]:
    return {"floating_ip_address": f"203.0.113.{resource.salt % 254 + 1}", "status": "ACTIVE"}


def _vpn(resource: MeteredResource, version: int) -> Mapping[str, str]:
    return {"name": _name("vpn", resource.index, version), "subnet_id": resource.sibling_id("subnet")}


def _directions(pattern: str, kind: str, words: tuple[str, str], prefix: str, source: str) -> tuple[Meter, ...]:
    return tuple(
        Meter(pattern.format(word, where), kind, "B", _traffic, _named(prefix), type="delta", source=source)
        for word in words
        for where in ("international", "national")
    )


_METERS = (
    Meter("instance", "instance", "instance", _constant, _instance),
    Meter("ip.floating", "floating-ip", "ip", _constant, _address),
    Meter("volume.size", "volume", "GB", _gigabytes, _volume),
    Meter("image.size", "image", "B", _bytes, _named("image")),
    *_directions("traffic.{}.{}", "traffic", ("outbound", "inbound"), "traffic", ":TrafficAccounting"),
    Meter("network.services.vpn", "vpn", "vpnservice", _status_code, _vpn),
    Meter("network", "network", "network", _constant, _named("network")),
    Meter("router", "router", "router", _constant, _named("router")),
    Meter("storage.containers.objects.size", "container", "B", _growing_bytes, lambda _, __: {}),
    *_directions("storage.objects.{}.size.{}", "container", ("download", "upload"), "container", "openstack"),
    Meter("network.services.octavia.loadbalancer", "loadbalancer", "loadbalancer", _status_code, _named("lb")),
    Meter("database.instance", "database", "instance", _constant, _database),
    Meter("cim.coe.cluster", "cluster", "cluster", _constant, _cluster),
)

METERS: Mapping[str, Meter] = {meter.name: meter for meter in _METERS}


def metered_resource(seed: int, project: int, name: str, index: int) -> MeteredResource:
    """Return the resource that a meter measures.

    :param project: the project's number.
    """
    meter = METERS[name]
    salt = int(ids.stable_id(seed, project, name, index)[:8], 16)
    identifier = resources.telemetry_id(seed, meter.kind, project, index)
    return MeteredResource(seed, project, ids.project_id(seed, project), index, identifier, salt)
