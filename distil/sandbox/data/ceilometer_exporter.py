# SPDX-License-Identifier: Apache-2.0
"""The metrics of Ceilometer's exporter."""

from distil.sandbox.data import ids
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.meters import instance_flavor
from distil.sandbox.data.meters import version_at
from distil.sandbox.data.scraped_metric import LabelFunction
from distil.sandbox.data.scraped_metric import Labels
from distil.sandbox.data.scraped_metric import ScrapedMetric
from distil.sandbox.data.scraped_metric import ValueFunction
from distil.sandbox.data.scraped_metric import coded_status
from distil.sandbox.data.scraped_metric import metadata_at

POWER_STATES = {"active": 1.0, "building": 0.0, "paused": 3.0, "stopped": 4.0}
"""Codes of power.state, by the state in the samples of instances."""

_SAME_NAME = ("volume.size", "image.size", "ip.floating", "network.services.vpn", "storage.containers.objects.size")


def root_gigabytes(resource: MeteredResource, tick: int) -> float:
    """Return the size of an instance's root disk."""
    return float(instance_flavor(resource.index, version_at(resource.index, tick)).disk)


def _labels(meter: str, name: str, unit: str) -> LabelFunction:
    """Return a function that computes labels: one is called as the first word of the meter's name in Ceilometer."""
    first, kind, *rest = name.split(".")

    def labels(resource: MeteredResource, tick: int) -> Labels:
        metadata = metadata_at(meter, resource, tick)
        found = {
            first: rest[0] if rest else resource.id,
            "publisher": "ceilometer",
            "type": kind,
            "counter": name,
            "user": ids.stable_id(resource.project_id, "user"),
            "unit": unit,
            "resource": resource.id,
            "resource_name": metadata.get("name", ""),
        }
        if meter == "instance":
            found |= {
                "resource_name": f"{metadata['display_name']}:instance-{resource.index:08x}",
                "vm_instance": metadata["host"],
                "flavor_id": metadata["flavor.id"],
                "flavor_name": metadata["flavor.name"],
                "server_group": "none",
            }
        return {label: value for label, value in found.items() if value}

    return labels


def _gauge(
    meter: str, name: str | None = None, unit: str | None = None, value: ValueFunction | None = None
) -> ScrapedMetric:
    """:param name: in Ceilometer, where it differs from the meter's; also the unit."""
    name, unit = name or meter, METERS[meter].unit if unit is None else unit
    metric = f"ceilometer_{name.replace('.', '_')}"
    labels = _labels(meter, name, unit)
    return ScrapedMetric(metric, "ceilometer", meter, "project", labels, value or METERS[meter].volume)


METRICS = (
    _gauge("instance", "disk.root.size", "GiB", root_gigabytes),
    _gauge("instance", "power.state", "", coded_status("instance", POWER_STATES)),
    *(_gauge(meter) for meter in _SAME_NAME),
    _gauge("network.services.octavia.loadbalancer", "loadbalancer.provisioning"),
)
