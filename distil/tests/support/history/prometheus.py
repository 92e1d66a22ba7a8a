# SPDX-License-Identifier: Apache-2.0
"""A history as Prometheus scrapes it from openstack-exporter, and from an operator's exporter of what that lacks."""

import datetime
import itertools
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.query.selectors import NAME_LABEL
from distil.tests.support.history.model import History
from distil.tests.support.history.model import Kind
from distil.tests.support.history.model import Measurement
from distil.tests.support.history.model import Resource
from distil.tests.support.history.model import State
from distil.tests.support.history.model import measurements

Samples = list[tuple[datetime.datetime, float]]

_SCRAPE_INTERVAL = datetime.timedelta(minutes=1)
_SERVICES = ("nova", "cinder", "glance", "neutron", "loadbalancer", "trove", "container_infra")

_SERVER_STATUSES = {"stopped": "SHUTOFF", "building": "BUILD", "rescued": "RESCUE"}
_PROVISIONING_STATUSES = {1: "ACTIVE", 2: "PENDING_UPDATE", 3: "ERROR", 7: "DELETED"}
# The exporter's own code of an active service is 0.
_VPN_CODES = {1: 0}

_SITE: Mapping[str, Any] = {"labels": {"project": "project_id", "resource": "id"}, "up": "up", "unit": "unit"}
_SITE_GAUGES: Sequence[Mapping[str, Any]] = [
    {
        "meter": "instance",
        "selector": "site_server",
        "metadata": {
            "display_name": "name",
            "status": "status",
            "instance_type": "flavor",
            "image_ref": "image",
            "root_gb": {"value": True},
        },
        "volume": 1,
    },
    {
        "meter": "database.instance",
        "selector": "site_database",
        "metadata": {
            "name": "name",
            "status": "status",
            "datastore": "datastore",
            "flavor.id": "flavor_id",
            "volume_id": "volume_id",
            "volume.size": {"value": True},
        },
        "volume": 1,
    },
    {"meter": "storage.containers.objects.size", "selector": "site_container_bytes"},
]


def site_entries(first_sample: str) -> list[Mapping[str, Any]]:
    """Entries of the meters file for the operator's exporter.

    :param first_sample: of counters.
    """
    counter = {"kind": "counter", "first_sample": first_sample, "metadata": {"name": "name"}}
    meters = (*Kind.TRAFFIC.counters, *Kind.CONTAINER.counters)
    counters = [{"meter": meter, "selector": _counter_name(meter), **counter} for meter in meters]
    return [{**_SITE, **entry} for entry in (*_SITE_GAUGES, *counters)]


def series(history: History) -> Iterator[tuple[Mapping[str, str], Samples]]:
    """Labels with the name of the metric, and samples, of all series."""
    found: dict[tuple[tuple[str, str], ...], Samples] = defaultdict(list)
    for resource in history.resources:
        for labels, time, value in _scraped(resource):
            # A label that is empty is none.
            found[tuple(sorted((label, text) for label, text in labels.items() if text))].append((time, value))
    for key, samples in found.items():
        yield dict(key), samples
    yield from _up(history)


def measured_from_baseline(history: History, max_gap: datetime.timedelta) -> Iterator[Measurement]:
    """What is left of the measurements if a resource's counters are counted from its first sample on.

    :param max_gap: across which a counter continues.
    """
    for resource in history.resources:
        pairs = itertools.pairwise(poll.time for poll in resource.polls)
        known = {time for earlier, time in pairs if time - earlier <= max_gap}
        for measurement in measurements(resource):
            is_unknown = measurement.meter in resource.kind.counters and measurement.time not in known
            yield measurement._replace(volume=0) if is_unknown else measurement


def _up(history: History) -> Iterator[tuple[Mapping[str, str], Samples]]:
    """Scrapes once a minute, all of which succeeded."""
    start, end = history.windows[0].start, history.windows[-1].end
    times = [start + number * _SCRAPE_INTERVAL for number in range((end - start) // _SCRAPE_INTERVAL)]
    for name in ("up", *(f"openstack_{service}_up" for service in _SERVICES)):
        yield {NAME_LABEL: name, "job": "site"}, [(time, 1) for time in times]


def _scraped(resource: Resource) -> Iterator[tuple[Mapping[str, str], datetime.datetime, float]]:
    """Labels, time and value of each sample of a resource."""
    for poll, total in zip(resource.polls, resource.counted(), strict=True):
        state = resource.state_at(poll.time)
        common = {"id": resource.id, "uuid": resource.id, "name": state.fields.get("name", "")}
        for gauge in _GAUGES.get(resource.kind, ()):
            own = {NAME_LABEL: gauge.name, gauge.project_label: state.project_id}
            yield {**common, **own, **gauge.labels(state.fields)}, poll.time, gauge.value(state)
        for factor, meter in enumerate(resource.kind.counters, start=1):
            own = {NAME_LABEL: _counter_name(meter), "project_id": state.project_id}
            yield {**common, **own}, poll.time, factor * total


def _counter_name(meter: str) -> str:
    return f"site_{meter.replace('.', '_')}_bytes_total"


class _Gauge(NamedTuple):
    """:ivar labels: from the fields of a resource's state."""

    name: str
    project_label: str
    labels: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _: {}
    value: Callable[[State], float] = lambda state: state.size


def _server(fields: Mapping[str, Any]) -> Mapping[str, str]:
    status = _SERVER_STATUSES.get(fields["status"], fields["status"].upper())
    return {"status": status, "flavor_id": fields["flavor"].id}


def _site_server(fields: Mapping[str, Any]) -> Mapping[str, str]:
    return {"status": fields["status"], "flavor": fields["flavor"].name, "image": str(fields["image"])}


def _address(fields: Mapping[str, Any]) -> Mapping[str, str]:
    return {"floating_ip_address": fields["address"], "status": fields["status"]}


def _database(fields: Mapping[str, Any]) -> Mapping[str, str]:
    texts = {label: fields[label] for label in ("status", "datastore", "volume_id")}
    return {**texts, "flavor_id": fields["flavor"].id}


_GAUGES: Mapping[Kind, Sequence[_Gauge]] = {
    Kind.INSTANCE: (
        _Gauge("openstack_nova_server_status", "tenant_id", _server),
        _Gauge("site_server", "project_id", _site_server, lambda state: state.fields["flavor"].disk),
    ),
    Kind.VOLUME: [_Gauge("openstack_cinder_volume_gb", "tenant_id", lambda fields: {"volume_type": fields["type"]})],
    Kind.IMAGE: [_Gauge("openstack_glance_image_bytes", "tenant_id")],
    Kind.NETWORK: [_Gauge("openstack_neutron_network", "tenant_id")],
    Kind.ROUTER: [_Gauge("openstack_neutron_router", "project_id")],
    Kind.FLOATING_IP: [_Gauge("openstack_neutron_floating_ip", "project_id", _address)],
    Kind.VPN: [
        _Gauge(
            "openstack_neutron_vpn_service",
            "project_id",
            lambda fields: {"subnet_id": fields["subnet_id"]},
            lambda state: _VPN_CODES.get(state.fields["code"], state.fields["code"]),
        )
    ],
    Kind.LOAD_BALANCER: [
        _Gauge(
            "openstack_loadbalancer_loadbalancer_status",
            "project_id",
            lambda fields: {"provisioning_status": _PROVISIONING_STATUSES[fields["code"]]},
        )
    ],
    Kind.CLUSTER: [
        _Gauge(
            "openstack_container_infra_cluster_status",
            "project_id",
            lambda fields: {"status": fields["status"], "node_count": str(fields["node_count"])},
        )
    ],
    Kind.DATABASE: [_Gauge("site_database", "project_id", _database, lambda state: state.fields["volume_size"])],
    Kind.CONTAINER: [_Gauge("site_container_bytes", "project_id")],
}
