# SPDX-License-Identifier: Apache-2.0
"""The service catalog."""

from typing import Any
from typing import NamedTuple

from distil.sandbox.data import ids

REGION = "RegionOne"

_INTERFACES = ("public", "internal", "admin")


class _Service(NamedTuple):
    type: str
    name: str
    path: str


_SERVICES = (
    _Service("identity", "keystone", "/identity"),
    _Service("metering", "ceilometer", "/metering"),
    _Service("metric", "gnocchi", "/metric"),
    _Service("metric-storage", "aetos", "/metric-storage"),
    _Service("compute", "nova", "/compute/v2.1"),
    _Service("volumev3", "cinderv3", "/volume/v3/{project}"),
    _Service("block-storage", "cinder", "/volume/v3/{project}"),
    _Service("image", "glance", "/image"),
    _Service("object-store", "swift", "/object-store/v1/AUTH_{project}"),
)


def catalog_entries(url: str, project_id: str, region: str) -> list[dict[str, Any]]:
    """Return the catalog as a token of a project contains it.

    :param url: of the cloud.
    :param region: of every endpoint.
    """
    return [
        {
            "id": ids.stable_id("service", service.type),
            "type": service.type,
            "name": service.name,
            "endpoints": [
                _endpoint(service.type, interface, url + service.path.format(project=project_id), region)
                for interface in _INTERFACES
            ],
        }
        for service in _SERVICES
    ]


def _endpoint(service_type: str, interface: str, url: str, region: str) -> dict[str, str]:
    return {
        "id": ids.stable_id("endpoint", service_type, interface),
        "interface": interface,
        "region": region,
        "region_id": region,
        "url": url,
    }
