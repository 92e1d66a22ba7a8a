# SPDX-License-Identifier: Apache-2.0
"""A history as Gnocchi keeps it where an operator has prepared it for billing: revisions, and aggregates."""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.data.added_gnocchi import AddedGnocchi
from distil.sandbox.data.gnocchi_schema import ArchivePolicy
from distil.tests.support.history.model import History
from distil.tests.support.history.model import Kind
from distil.tests.support.history.model import Measurement
from distil.tests.support.history.model import Resource
from distil.tests.support.history.model import State
from distil.tests.support.history.model import measurements

_GRANULARITY = datetime.timedelta(minutes=5)
# After the start of a bucket: a revision that begins within it shows a measurement made at the start.
_REVISION_DELAY = datetime.timedelta(seconds=10)
POLICY = ArchivePolicy("history", ("max", "last", "sum", "count"), days=36_500, back_window=24)

SITE_ENTRIES: Sequence[Mapping[str, Any]] = [
    {
        "meter": "instance",
        "resource_type": "instance",
        "metric": "disk.root.size",
        "unit": "instance",
        "volume": 1,
        "metadata": {
            "display_name": "display_name",
            "instance_type": "flavor_name",
            "image_ref": "image_ref",
            "root_gb": {"value": True},
            "status": "status",
        },
    },
    {
        "meter": "database.instance",
        "resource_type": "database",
        "metric": "database.instance",
        "metadata": {
            "name": "name",
            "status": "status",
            "datastore": "datastore",
            "flavor.id": "flavor_id",
            "volume_id": "volume_id",
            "volume.size": "volume_size",
        },
    },
    {
        "meter": "cim.coe.cluster",
        "resource_type": "coe_cluster",
        "metric": "cim.coe.cluster",
        "volume": 1,
        "metadata": {"name": "name", "status": "status", "node_count": "node_count"},
    },
    *(
        {
            "meter": meter,
            "resource_type": "network_service",
            "metric": meter,
            "metadata": {"name": "name", "subnet_id": "subnet_id"},
        }
        for meter in ("network", "router", "network.services.vpn")
    ),
    *(
        {"meter": meter, "resource_type": "traffic", "metric": meter, "kind": "delta", "metadata": {"name": "name"}}
        for meter in Kind.TRAFFIC.counters
    ),
    *(
        {"meter": meter, "resource_type": "swift_account", "metric": meter, "kind": "delta", "resource_id": "container"}
        for meter in Kind.CONTAINER.counters
    ),
]
"""Entries of the meters file for what stock Ceilometer does not send to Gnocchi."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_FLOATING_IP_CODES = {"ACTIVE": 1, "DOWN": 3, "ERROR": 7}


class _Revision(NamedTuple):
    """:ivar start: when Gnocchi learned of the state."""

    start: datetime.datetime
    state: State


class _Bucket(NamedTuple):
    """What Gnocchi keeps of a meter of a resource in five minutes.

    :ivar revisions: those in force, each from when on in the bucket.
    """

    start: datetime.datetime
    measurements: Sequence[Measurement]
    revisions: Sequence[_Revision]

    @property
    def resource(self) -> Resource:
        return self.measurements[0].resource

    @property
    def is_counted(self) -> bool:
        return self.measurements[0].meter in self.resource.kind.counters

    @property
    def volume(self) -> int:
        """What the meters file reads: the sum of what was counted, the largest size, but the last status."""
        volumes = [measurement.volume for measurement in self.measurements]
        if self.is_counted:
            return sum(volumes)
        return volumes[-1] if self.resource.kind in (Kind.VPN, Kind.LOAD_BALANCER) else max(volumes)


def store(history: History, gnocchi: AddedGnocchi, delay: datetime.timedelta) -> None:
    """Store a history.

    :param delay: from a measurement to its arrival.
    """
    gnocchi.add_policy(POLICY)
    for resource in history.resources:
        if resource.polls:
            _store(resource, gnocchi, delay)


def bucketed(history: History, delay: datetime.timedelta) -> Iterator[Measurement]:
    """What is left of the measurements: one of each bucket for each state that was in force in it.

    What was counted in a bucket belongs to the last of these states.
    """
    for bucket in _buckets(history, delay):
        last = bucket.measurements[-1]
        for start, state in bucket.revisions[-1:] if bucket.is_counted else bucket.revisions:
            yield last._replace(time=start, state=_with_measured_fields(state, last), volume=bucket.volume)


def blurred(history: History, delay: datetime.timedelta) -> Iterator[tuple[str, datetime.datetime]]:
    """Resources, by id, and starts of those of their buckets that do not show each measurement.

    More than one state was in force, or one was measured and is in force later, or the last status is not the largest.
    """
    for bucket in _buckets(history, delay):
        *others, state = [revision.state for revision in bucket.revisions]
        is_late = any(_differ(bucket.resource.kind, state, measurement.state) for measurement in bucket.measurements)
        if others or is_late or bucket.volume < max(measurement.volume for measurement in bucket.measurements):
            yield bucket.resource.id, bucket.start


def _buckets(history: History, delay: datetime.timedelta) -> Iterator[_Bucket]:
    for resource in history.resources:
        revisions = _revisions(resource, delay)
        groups: dict[tuple[str, datetime.datetime], list[Measurement]] = defaultdict(list)
        for measurement in measurements(resource):
            start = measurement.time - (measurement.time - _EPOCH) % _GRANULARITY
            groups[measurement.meter, start].append(measurement)
        for (_, start), group in groups.items():
            yield _Bucket(start, group, _in_force(revisions, start))


def _in_force(revisions: Sequence[_Revision], start: datetime.datetime) -> list[_Revision]:
    """The revisions in force in a bucket. The first counts for all before it."""
    begun = [revision for revision in revisions if revision.start <= start + _REVISION_DELAY][-1:] or revisions[:1]
    later = [revision for revision in revisions if begun[0].start < revision.start < start + _GRANULARITY]
    return [begun[0]._replace(start=start), *later]


def _with_measured_fields(state: State, measurement: Measurement) -> State:
    """The state with what Gnocchi does not know as an attribute, but measures."""
    if measurement.resource.kind is not Kind.INSTANCE:
        return state
    flavor = state.fields["flavor"]._replace(disk=measurement.state.fields["flavor"].disk)
    return state._replace(fields={**state.fields, "flavor": flavor})


def _store(resource: Resource, gnocchi: AddedGnocchi, delay: datetime.timedelta) -> None:
    revisions = [
        (revision.start, {"project_id": revision.state.project_id, **_attributes(resource.kind, revision.state.fields)})
        for revision in _revisions(resource, delay)
    ]
    resource_id = gnocchi.add_resource(
        _TYPES[resource.kind],
        resource.states[-1].project_id,
        *revisions,
        identifier=resource.id.replace("/", "_"),
        ended_at=resource.end,
    )
    measures: dict[str, list[tuple[datetime.datetime, float]]] = defaultdict(list)
    for measurement in measurements(resource):
        for name, value in _measured(measurement).items():
            measures[name].append((measurement.time, value))
    for name, values in measures.items():
        gnocchi.add_measures(resource_id, name, POLICY.name, values, unit="unit")


def _revisions(resource: Resource, delay: datetime.timedelta) -> list[_Revision]:
    """A revision begins when the first measurement of a state arrives."""
    revisions: list[_Revision] = []
    for poll in resource.polls:
        state = resource.state_at(poll.time)
        if not revisions or _differ(resource.kind, revisions[-1].state, state):
            revisions.append(_Revision(poll.time + delay, state))
    return revisions


def _differ(kind: Kind, one: State, other: State) -> bool:
    """Whether Gnocchi can tell two states apart."""
    return one.project_id != other.project_id or _attributes(kind, one.fields) != _attributes(kind, other.fields)


_TYPES = {
    Kind.INSTANCE: "instance",
    Kind.VOLUME: "volume",
    Kind.FLOATING_IP: "network",
    Kind.IMAGE: "image",
    Kind.NETWORK: "network_service",
    Kind.ROUTER: "network_service",
    Kind.VPN: "network_service",
    Kind.LOAD_BALANCER: "loadbalancer",
    Kind.DATABASE: "database",
    Kind.CLUSTER: "coe_cluster",
    Kind.TRAFFIC: "traffic",
    Kind.CONTAINER: "swift_account",
}


def _attributes(kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a resource, as far as they are billed."""
    match kind:
        case Kind.INSTANCE:
            return {
                "display_name": fields["name"],
                "flavor_name": fields["flavor"].name,
                "image_ref": fields["image"],
                "status": fields["status"],
            }
        case Kind.VOLUME:
            return {"display_name": fields["name"], "volume_type": fields["type"]}
        case Kind.FLOATING_IP:
            return {"floating_ip_address": fields["address"]}
        case Kind.DATABASE:
            return {
                "name": fields["name"],
                "status": fields["status"],
                "datastore": fields["datastore"],
                "flavor_id": fields["flavor"].id,
                "volume_id": fields["volume_id"],
                "volume_size": float(fields["volume_size"]),
            }
        case Kind.CLUSTER:
            return {**fields, "node_count": float(fields["node_count"])}
        case _:
            return {name: value for name, value in fields.items() if name != "code"}


def _measured(measurement: Measurement) -> dict[str, int]:
    """The values that are measured, by metric."""
    fields = measurement.state.fields
    match measurement.resource.kind:
        case Kind.INSTANCE:
            return {"disk.root.size": fields["flavor"].disk}
        case Kind.FLOATING_IP:
            return {"ip.floating": _FLOATING_IP_CODES[fields["status"]]}
        case Kind.LOAD_BALANCER:
            return {"loadbalancer.provisioning": fields["code"]}
        case Kind.VPN:
            return {measurement.meter: fields["code"]}
        case _:
            return {measurement.meter: measurement.volume}
