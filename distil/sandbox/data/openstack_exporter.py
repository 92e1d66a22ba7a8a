# SPDX-License-Identifier: Apache-2.0
"""The metrics of openstack-exporter."""

from collections.abc import Mapping

from distil.sandbox.data import ids
from distil.sandbox.data import inventory
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.scraped_metric import LabelFunction
from distil.sandbox.data.scraped_metric import Labels
from distil.sandbox.data.scraped_metric import ScrapedMetric
from distil.sandbox.data.scraped_metric import ValueFunction
from distil.sandbox.data.scraped_metric import coded_status
from distil.sandbox.data.scraped_metric import metadata_at

JOB = "openstack-exporter"

UP = tuple(
    f"openstack_{service}_up"
    for service in ("cinder", "container_infra", "glance", "loadbalancer", "neutron", "nova", "trove")
)
"""Metrics that say whether a service has answered."""

_SERVER_STATUSES = {"active": "ACTIVE", "building": "BUILD", "paused": "PAUSED", "stopped": "SHUTOFF"}
_SERVER_CODES = {"active": 0.0, "building": 1.0, "paused": 16.0, "stopped": 11.0}
_DATABASE_CODES = {"BUILD": 0.0, "ACTIVE": 2.0, "BACKUP": 4.0, "HEALTHY": 7.0}
_CLUSTER_CODES = {"CREATE_COMPLETE": 0.0, "CREATE_FAILED": 1.0}

_LOADBALANCER = "network.services.octavia.loadbalancer"
_VPN = "network.services.vpn"


def _one(_: MeteredResource, __: int) -> float:
    return 1.0


def _is_active(meter: str, resource: MeteredResource, tick: int) -> bool:
    return METERS[meter].volume(resource, tick) == 1


def _labels(
    meter: str,
    *metadata: str,
    constants: Mapping[str, str] | None = None,
    siblings: Mapping[str, str] | None = None,
    renamed: Mapping[str, str] | None = None,
    id_label: str = "id",
) -> LabelFunction:
    """Return a function that computes labels.

    :param metadata: keys of a sample's metadata that are labels.
    :param constants: labels with the same value everywhere.
    :param siblings: labels with the ID of a resource of another kind, by that kind.
    :param renamed: labels by the key of a sample's metadata.
    :param id_label: label with the ID of the resource.
    """
    paths = {**dict(zip(metadata, metadata, strict=True)), **(renamed or {})}

    def labels(resource: MeteredResource, tick: int) -> Labels:
        found = metadata_at(meter, resource, tick)
        return {
            id_label: resource.id,
            **{label: found[path] for label, path in paths.items()},
            **{label: resource.sibling_id(kind) for label, kind in (siblings or {}).items()},
            **(constants or {}),
        }

    return labels


_SERVER_LABELS = _labels(
    "instance",
    "availability_zone",
    renamed={"name": "display_name", "host_id": "host", "flavor_id": "flavor.id"},
    constants={"address_ipv4": "", "address_ipv6": "", "hypervisor_hostname": "compute-0"},
)
_VOLUME_LABELS = _labels(
    "volume.size",
    "name",
    "status",
    "availability_zone",
    constants={"bootable": "false"},
    siblings={"server_id": "instance"},
)
_LOADBALANCER_LABELS = _labels(_LOADBALANCER, "name", constants={"provider": "amphora", "vip_address": "192.0.2.9"})


def _server(resource: MeteredResource, tick: int) -> Labels:
    return _SERVER_LABELS(resource, tick) | {
        "uuid": resource.id,
        "status": _SERVER_STATUSES[metadata_at("instance", resource, tick)["status"]],
        "instance_libvirt": f"instance-{resource.index:08x}",
        "user_id": ids.stable_id(resource.project_id, "user"),
    }


def _volume(resource: MeteredResource, tick: int) -> Labels:
    return _VOLUME_LABELS(resource, tick) | {
        "volume_type": inventory.volume_type_of(resource.index).name,
        "user_id": ids.stable_id(resource.project_id, "user"),
    }


def _loadbalancer(resource: MeteredResource, tick: int) -> Labels:
    statuses = ("ONLINE", "ACTIVE") if _is_active(_LOADBALANCER, resource, tick) else ("OFFLINE", "PENDING_UPDATE")
    names = ("operating_status", "provisioning_status")
    return _LOADBALANCER_LABELS(resource, tick) | dict(zip(names, statuses, strict=True))


def _database_gigabytes(resource: MeteredResource, tick: int) -> float:
    return float(metadata_at("database.instance", resource, tick)["volume.size"])


def _metric(name: str, meter: str, project_label: str, labels: LabelFunction, value: ValueFunction) -> ScrapedMetric:
    has_status_label = meter == _LOADBALANCER
    return ScrapedMetric(f"openstack_{name}", JOB, meter, project_label, labels, value, False, has_status_label)


_DATABASE = _labels(
    "database.instance",
    "name",
    "status",
    renamed={"datastore_type": "datastore"},
    constants={"datastore_version": "16", "health_status": "available", "region": "RegionOne"},
)

METRICS = (
    _metric("nova_server_status", "instance", "tenant_id", _server, coded_status("instance", _SERVER_CODES)),
    _metric("cinder_volume_gb", "volume.size", "tenant_id", _volume, METERS["volume.size"].volume),
    _metric(
        "glance_image_bytes", "image.size", "tenant_id", _labels("image.size", "name"), METERS["image.size"].volume
    ),
    _metric(
        "neutron_floating_ip",
        "ip.floating",
        "project_id",
        _labels("ip.floating", "floating_ip_address", "status", siblings={"router_id": "router"}),
        _one,
    ),
    _metric(
        "neutron_network",
        "network",
        "tenant_id",
        _labels(
            "network",
            "name",
            constants={"is_external": "false", "is_shared": "false", "status": "ACTIVE", "tags": ""},
            siblings={"subnets": "subnet"},
        ),
        _one,
    ),
    _metric(
        "neutron_router",
        "router",
        "project_id",
        _labels("router", "name", constants={"admin_state_up": "true", "status": "ACTIVE"}),
        _one,
    ),
    _metric(
        "neutron_vpn_service",
        _VPN,
        "project_id",
        _labels(_VPN, "name", "subnet_id", constants={"admin_state_up": "true"}, siblings={"router_id": "router"}),
        lambda resource, tick: 0.0 if _is_active(_VPN, resource, tick) else 1.0,
    ),
    _metric(
        "loadbalancer_loadbalancer_status",
        _LOADBALANCER,
        "project_id",
        _loadbalancer,
        lambda resource, tick: 0.0 if _is_active(_LOADBALANCER, resource, tick) else 2.0,
    ),
    _metric(
        "trove_instance_status",
        "database.instance",
        "tenant_id",
        _DATABASE,
        coded_status("database.instance", _DATABASE_CODES),
    ),
    _metric("trove_instance_volume_size_gb", "database.instance", "tenant_id", _DATABASE, _database_gigabytes),
    _metric(
        "container_infra_cluster_status",
        "cim.coe.cluster",
        "project_id",
        _labels("cim.coe.cluster", "name", "status", "node_count", constants={"master_count": "1"}, id_label="uuid"),
        coded_status("cim.coe.cluster", _CLUSTER_CODES),
    ),
)
