# SPDX-License-Identifier: Apache-2.0
"""Messages that Ceilometer's notification agent gets: notifications of services, and what its pollsters find."""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

IMAGE_ID = "11111111-1111-4111-8111-111111111111"


def notification(event_type: str, time: datetime.datetime, publisher_id: str = "", **payload: Any) -> dict[str, Any]:
    """Return the notification of a service.

    :param publisher_id: of the service and its host, as in ``compute.c1``.
    """
    return _notification(event_type, time, "info", publisher_id, payload)


def polled(
    meter: str,
    resource_id: str,
    project_id: str | None,
    time: datetime.datetime,
    volume: float,
    unit: str,
    metadata: Mapping[str, Any],
    type: str = "gauge",  # noqa: A002
) -> dict[str, Any]:
    """Return a sample of a pollster.

    :param type: gauge, delta or cumulative.
    """
    sample = {
        "counter_name": meter,
        "counter_type": type,
        "counter_unit": unit,
        "counter_volume": volume,
        "user_id": None,
        "project_id": project_id,
        "resource_id": resource_id,
        "timestamp": _text(time),
        "resource_metadata": dict(metadata),
        "source": "openstack",
        "message_id": uuid.uuid4().hex,
    }
    return _notification("telemetry.polling", time, "sample", "ceilometer.polling", {"samples": [sample]})


def polled_instance(
    meter: str, server: dict[str, Any], time: datetime.datetime, volume: float, unit: str
) -> dict[str, Any]:
    """Return what a compute agent makes a sample of.

    :param server: of :func:`server`.
    """
    sample = {"name": meter, "type": "gauge", "unit": unit, "volume": volume, "timestamp": _text(time)}
    return {"server": server, "sample": sample}


def server(server_id: str, project_id: str, flavor: str, status: str = "ACTIVE", disk: int = 20) -> dict[str, Any]:
    """Return an instance, as Nova's API describes it.

    :param disk: size of the root disk, in GiB.
    """
    return {
        "id": server_id,
        "name": "web",
        "hostId": "h" * 56,
        "flavor": {"id": f"id-{flavor}", "name": flavor, "vcpus": 2, "ram": 4096, "disk": disk, "ephemeral": 0},
        "status": status,
        "image": {"id": IMAGE_ID, "links": []},
        "metadata": {},
        "user_id": "user",
        "tenant_id": project_id,
        "OS-EXT-SRV-ATTR:instance_name": "instance-1",
        "OS-EXT-SRV-ATTR:host": "c1",
        "OS-EXT-STS:vm_state": status.lower(),
        "OS-EXT-STS:task_state": None,
        "OS-EXT-AZ:availability_zone": "az-a",
    }


def _notification(
    event_type: str, time: datetime.datetime, priority: str, publisher_id: str, payload: dict[str, Any]
) -> dict[str, Any]:
    metadata = {"message_id": uuid.uuid4().hex, "timestamp": _text(time)}
    body = {"event_type": event_type, "priority": priority, "publisher_id": publisher_id, "payload": payload}
    return {"notification": body | {"ctxt": {}, "metadata": metadata}}


def _text(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()
