# SPDX-License-Identifier: Apache-2.0
"""A history as Ceilometer's samples."""

from collections.abc import Iterator
from typing import Any

from distil.tests.support.history.model import History
from distil.tests.support.history.model import Kind
from distil.tests.support.history.model import Measurement


def samples(history: History) -> Iterator[dict[str, Any]]:
    """Every measurement as a sample, in the notation of the API."""
    for number, measurement in enumerate(history.measurements()):
        yield {
            "id": f"sample-{number}",
            "project_id": measurement.project_id,
            "meter": measurement.meter,
            "resource_id": measurement.resource.id,
            "timestamp": measurement.time.replace(tzinfo=None).isoformat(),
            "volume": float(measurement.volume),
            "unit": "unit",
            "source": "openstack",
            "metadata": _metadata(measurement),
        }


def _metadata(measurement: Measurement) -> dict[str, str]:
    fields = measurement.state.fields
    match measurement.resource.kind:
        case Kind.INSTANCE:
            image = str(fields["image"])
            return {
                "display_name": fields["name"],
                "status": fields["status"],
                "instance_type": fields["flavor"].name,
                "image_ref": image,
                "root_gb": str(fields["flavor"].disk),
            }
        case Kind.VOLUME:
            return {"name": fields["name"], "volume_type": fields["type"]}
        case Kind.FLOATING_IP:
            return {"floating_ip_address": fields["address"], "status": fields["status"]}
        case Kind.DATABASE:
            return {
                "name": fields["name"],
                "status": fields["status"],
                "datastore": fields["datastore"],
                "flavor.id": fields["flavor"].id,
                "volume_id": fields["volume_id"],
                "volume.size": str(fields["volume_size"]),
            }
        case _:
            return {key: str(value) for key, value in fields.items()}
