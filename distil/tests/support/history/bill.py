# SPDX-License-Identifier: Apache-2.0
"""The bill of a history by the shipped meter mappings, computed straight from what was measured.

It has no code in common with the transformers.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil import model
from distil.tests.support.history.model import CONTAINER_POLICIES
from distil.tests.support.history.model import DATABASE_VOLUMES
from distil.tests.support.history.model import HOUR
from distil.tests.support.history.model import Kind
from distil.tests.support.history.model import Measurement

_BILLED_INSTANCE_STATUSES = ("active", "stopped", "paused", "suspended", "rescued", "shutoff")
_BILLED_DATABASE_STATUSES = ("ACTIVE", "SHUTDOWN", "BACKUP")
_UNBILLED_CLUSTER_STATUSES = ("CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED", "DELETE_COMPLETE")
_ACTIVE = 1
_TEN_BILLIONTHS = 10**10


class Line(NamedTuple):
    """What is billed of a resource in a window."""

    window: model.Window
    project_id: str
    service: str
    resource_id: str
    unit: str


class Item(NamedTuple):
    """:ivar volume: in the unit."""

    service: str
    resource_id: str
    unit: str
    volume: Decimal


def bill(measurements: Iterable[Measurement], windows: Sequence[model.Window]) -> dict[Line, Decimal]:
    """The volumes of all lines."""
    groups: dict[tuple[model.Window, str, str, str], list[Measurement]] = defaultdict(list)
    for measurement in sorted(measurements, key=lambda measurement: measurement.time):
        for window in windows:
            if window.start <= measurement.time < window.end:
                groups[window, measurement.project_id, measurement.resource.id, measurement.meter].append(measurement)
    lines: dict[Line, Decimal] = defaultdict(Decimal)
    for (window, project_id, _, _), group in groups.items():
        hours = Decimal((window.end - window.start) / HOUR)
        for item in _items(group, hours):
            lines[Line(window, project_id, item.service, item.resource_id, item.unit)] += item.volume
    return dict(lines)


def _items(group: Sequence[Measurement], hours: Decimal) -> Iterator[Item]:
    """What is billed of one resource for one of its meters."""
    resource, meter = group[-1].resource, group[-1].meter
    if meter in resource.kind.counters:
        yield Item(_traffic_service(meter), resource.id, "byte", Decimal(sum(each.volume for each in group)))
    elif resource.kind in _COMPOSED:
        yield from _COMPOSED[resource.kind](group, hours)
    else:
        yield _item(group, hours)


def _item(group: Sequence[Measurement], hours: Decimal) -> Item:
    """What is billed of a resource by its largest size, or because it exists, or is active."""
    last = group[-1]
    resource_id = last.resource.id
    largest = hours * max(measurement.volume for measurement in group)
    match last.resource.kind:
        case Kind.VOLUME:
            return Item(last.state.fields["type"], resource_id, "gigabyte", largest)
        case Kind.IMAGE:
            return Item("b1.standard", resource_id, "byte", largest)
        case Kind.CONTAINER:
            service = CONTAINER_POLICIES.get(resource_id.partition("/")[2], "o1.standard")
            digest = hashlib.md5(resource_id.encode(), usedforsecurity=False).hexdigest()
            return Item(service, digest, "byte", largest)
        case Kind.VPN | Kind.LOAD_BALANCER:
            service = "n1.vpn" if last.resource.kind is Kind.VPN else "n1.lb"
            is_active = any(measurement.volume == _ACTIVE for measurement in group)
            return Item(service, resource_id, "hour", hours * is_active)
        case _:
            service = "n1.ipv4" if last.resource.kind is Kind.FLOATING_IP else f"n1.{last.meter}"
            return Item(service, resource_id, "hour", hours)


def _instance(group: Sequence[Measurement], hours: Decimal) -> Iterator[Item]:
    resource_id = group[-1].resource.id
    states = [measurement.state.fields for measurement in group]
    flavors = {state["flavor"].name for state in states if state["status"] in _BILLED_INSTANCE_STATUSES}
    yield from _shares(flavors, resource_id, hours)
    if all(state["image"] is not None for state in states):
        size = max(state["flavor"].disk for state in states)
        yield Item("b1.standard", f"{resource_id}-root_disk", "gigabyte", size * hours)


def _database(group: Sequence[Measurement], hours: Decimal) -> Iterator[Item]:
    resource_id = group[-1].resource.id
    states = [measurement.state.fields for measurement in group]
    flavors = {f"db.{state['flavor'].name}" for state in states if state["status"] in _BILLED_DATABASE_STATUSES}
    yield from _shares(flavors, resource_id, hours)
    size = max(state["volume_size"] for state in states)
    yield Item(DATABASE_VOLUMES[states[-1]["volume_id"]], f"{resource_id}-volume", "gigabyte", size * hours)


def _cluster(group: Sequence[Measurement], hours: Decimal) -> Iterator[Item]:
    resource_id = group[-1].resource.id
    states = [measurement.state.fields for measurement in group]
    counts = [state["node_count"] for state in states if state["status"] not in _UNBILLED_CLUSTER_STATUSES]
    if counts:
        yield Item("coe1.cluster", resource_id, "hour", hours)
        yield Item("coe1.worker", f"{resource_id}-worker", "worker", max(counts) * hours)


_COMPOSED: Mapping[Kind, Callable[[Sequence[Measurement], Decimal], Iterator[Item]]] = {
    Kind.INSTANCE: _instance,
    Kind.DATABASE: _database,
    Kind.CLUSTER: _cluster,
}


def _shares(flavors: Iterable[str], resource_id: str, hours: Decimal) -> Iterator[Item]:
    """Equal shares of the seconds; what cannot be divided goes to the first flavors of the alphabet."""
    names = sorted(flavors)
    for number, flavor in enumerate(names):
        share = (int(hours * 3600) * _TEN_BILLIONTHS + len(names) - 1 - number) // len(names)
        yield Item(flavor, resource_id, "second", Decimal(share) / _TEN_BILLIONTHS)


def _traffic_service(meter: str) -> str:
    prefix = "n1" if meter.startswith("traffic.") else "o1"
    where = "international" if "international" in meter else "national"
    return f"{prefix}.{where}-{'out' if '.outbound.' in meter or '.download.' in meter else 'in'}"
