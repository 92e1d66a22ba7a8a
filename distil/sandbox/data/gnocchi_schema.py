# SPDX-License-Identifier: Apache-2.0
"""What Gnocchi keeps of the cloud: archive policies, resource types, and the metrics of each kind of resource.

Types and policies are those of Ceilometer 27, and what an operator adds to bill by them: the status of an instance, the
address of a floating IP, types for meters that Ceilometer drops, and a policy with sums.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data import inventory
from distil.sandbox.data.ceilometer_exporter import POWER_STATES
from distil.sandbox.data.ceilometer_exporter import root_gigabytes
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.scraped_metric import coded_status

_SECONDS_PER_DAY = 86_400


@dataclasses.dataclass(frozen=True, slots=True)
class ArchivePolicy:
    """An archive policy with one granularity.

    :param days: how long it keeps a bucket.
    :param granularity: length of a bucket, in seconds.
    """

    name: str
    aggregation_methods: tuple[str, ...]
    days: int
    back_window: int = 0
    granularity: int = 300

    def as_json(self) -> dict[str, Any]:
        minutes, seconds = divmod(self.granularity, 60)
        definition = {
            "timespan": f"{self.days} days, 0:00:00",
            "granularity": f"0:{minutes:02}:{seconds:02}",
            "points": self.days * _SECONDS_PER_DAY // self.granularity,
        }
        return {
            "name": self.name,
            "back_window": self.back_window,
            "definition": [definition],
            "aggregation_methods": list(self.aggregation_methods),
        }


_LOW = ArchivePolicy("ceilometer-low", ("mean",), 30)
_BILLING = ArchivePolicy("billing", ("max", "last", "sum", "count"), 90, back_window=24)

POLICIES: Mapping[str, ArchivePolicy] = {policy.name: policy for policy in (_LOW, _BILLING)}

STRING = {"type": "string", "min_length": 0, "max_length": 255, "required": False}
_UUID = {"type": "uuid", "required": False}
_NUMBER = {"type": "number", "min": None, "max": None, "required": False}
_DATETIME = {"type": "datetime", "required": False}


def _strings(*names: str) -> dict[str, dict[str, Any]]:
    return dict.fromkeys(names, STRING)


__INSTANCE_STRINGS = (
    "availability_zone",
    "display_name",
    "flavor_id",
    "flavor_name",
    "host",
    "image_ref",
    "server_group",
    "status",
)

RESOURCE_TYPES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "generic": {},
    "instance": _strings(*__INSTANCE_STRINGS) | dict.fromkeys(("created_at", "deleted_at", "launched_at"), _DATETIME),
    "volume": _strings("display_name", "volume_type", "volume_type_id")
    | dict.fromkeys(("image_id", "instance_id"), _UUID),
    "image": _strings("name", "container_format", "disk_format"),
    "network": _strings("floating_ip_address"),
    "swift_account": _strings("name", "storage_policy"),
    "loadbalancer": _strings("name", "availability_zone", "provider", "vip_address"),
    "traffic": _strings("name"),
    "network_service": _strings("name", "subnet_id"),
    "database": _strings("name", "status", "datastore", "flavor_id", "volume_id") | {"volume_size": _NUMBER},
    "coe_cluster": _strings("name", "status") | {"node_count": _NUMBER},
}
"""Attributes by resource type, beside those that every type has."""

_Attributes = Callable[[MeteredResource, int], dict[str, Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """A metric of all resources of a kind.

    :param meter: whose samples become its measures.
    :param value: computes a measure from the resource and the tick; by default, it is the volume of the sample.
    """

    name: str
    meter: str
    policy: ArchivePolicy
    unit: str
    value: Callable[[MeteredResource, int], float]


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of resources.

    :param name: as in :data:`.METERS`.
    :param type: the resource type.
    :param attributes: computes the attributes from a resource and its version; the type's others are null.
    """

    name: str
    type: str
    metrics: tuple[Metric, ...]
    attributes: _Attributes

    @property
    def meter(self) -> str:
        """The meter that the attributes belong to."""
        return self.metrics[0].meter


def _metric(meter: str, policy: ArchivePolicy, name: str | None = None) -> Metric:
    return Metric(name or meter, meter, policy, METERS[meter].unit, METERS[meter].volume)


def _from_metadata(meter: str, **paths: str) -> _Attributes:
    """Return a function that finds attributes in the metadata of a meter's samples.

    :param paths: name of the attribute, and of the metadata.
    """

    def attributes(resource: MeteredResource, version: int) -> dict[str, Any]:
        metadata = METERS[meter].metadata(resource, version)
        texts = {name: metadata[path] for name, path in paths.items()}
        return {name: None if text == "None" else text for name, text in texts.items()}

    return attributes


def _numeric(attributes: _Attributes, name: str) -> _Attributes:
    """Return a function that makes a number of one attribute."""

    def convert(resource: MeteredResource, version: int) -> dict[str, Any]:
        found = attributes(resource, version)
        return {**found, name: float(found[name])}

    return convert


def _container_attributes(resource: MeteredResource, version: int) -> dict[str, Any]:
    name = METERS[_CONTAINER[0]].metadata(resource, version)["name"]
    return {"name": name, "storage_policy": inventory.storage_policy_of(resource.index)}


_INSTANCE = _from_metadata(
    "instance",
    availability_zone="availability_zone",
    display_name="display_name",
    flavor_id="flavor.id",
    flavor_name="instance_type",
    host="host",
    image_ref="image_ref",
    status="status",
)
_DATABASE = _from_metadata(
    "database.instance",
    name="name",
    status="status",
    datastore="datastore",
    flavor_id="flavor.id",
    volume_id="volume_id",
    volume_size="volume.size",
)
_CLUSTER = _from_metadata("cim.coe.cluster", name="name", status="status", node_count="node_count")

_LOADBALANCER = "network.services.octavia.loadbalancer"
_TRAFFIC = tuple(name for name, meter in METERS.items() if meter.kind == "traffic")
_CONTAINER = tuple(name for name, meter in METERS.items() if meter.kind == "container" and meter.type == "delta")

_KINDS = (
    ResourceKind(
        "instance",
        "instance",
        (
            Metric("disk.root.size", "instance", _BILLING, "GiB", root_gigabytes),
            Metric("power.state", "instance", _BILLING, "", coded_status("instance", POWER_STATES)),
        ),
        _INSTANCE,
    ),
    ResourceKind(
        "volume",
        "volume",
        (_metric("volume.size", _BILLING),),
        _from_metadata("volume.size", display_name="name", volume_type="volume_type"),
    ),
    ResourceKind("image", "image", (_metric("image.size", _LOW),), _from_metadata("image.size", name="name")),
    ResourceKind(
        "floating-ip",
        "network",
        (_metric("ip.floating", _LOW),),
        _from_metadata("ip.floating", floating_ip_address="floating_ip_address"),
    ),
    ResourceKind(
        "container",
        "swift_account",
        (
            _metric("storage.containers.objects.size", _LOW),
            *(_metric(meter, _BILLING) for meter in _CONTAINER),
        ),
        _container_attributes,
    ),
    ResourceKind(
        "loadbalancer",
        "loadbalancer",
        (_metric(_LOADBALANCER, _LOW, "loadbalancer.provisioning"),),
        _from_metadata(_LOADBALANCER, name="name"),
    ),
    ResourceKind(
        "traffic",
        "traffic",
        tuple(_metric(meter, _BILLING) for meter in _TRAFFIC),
        _from_metadata(_TRAFFIC[0], name="name"),
    ),
    ResourceKind(
        "vpn",
        "network_service",
        (_metric("network.services.vpn", _BILLING),),
        _from_metadata("network.services.vpn", name="name", subnet_id="subnet_id"),
    ),
    *(
        ResourceKind(meter, "network_service", (_metric(meter, _BILLING),), _from_metadata(meter, name="name"))
        for meter in ("network", "router")
    ),
    ResourceKind("database", "database", (_metric("database.instance", _BILLING),), _numeric(_DATABASE, "volume_size")),
    ResourceKind("cluster", "coe_cluster", (_metric("cim.coe.cluster", _BILLING),), _numeric(_CLUSTER, "node_count")),
)

KINDS: Mapping[str, ResourceKind] = {kind.name: kind for kind in _KINDS}


def kinds_of_type(resource_type: str) -> tuple[ResourceKind, ...]:
    """Return the kinds of a resource type; "generic" includes all."""
    return tuple(kind for kind in _KINDS if resource_type in ("generic", kind.type))
