# SPDX-License-Identifier: Apache-2.0
"""The service catalog."""

from typing import Any

from distil.sandbox.data import ids

REGION = "RegionOne"

# Type, name and path of each endpoint.
_SERVICES = (
    ("identity", "keystone", "/identity"),
    ("metering", "ceilometer", "/metering"),
    ("compute", "nova", "/compute/v2.1"),
    ("volumev3", "cinderv3", "/volume/v3/{project}"),
    ("block-storage", "cinder", "/volume/v3/{project}"),
    ("image", "glance", "/image"),
    ("object-store", "swift", "/object-store/v1/AUTH_{project}"),
)


def catalog_entries(url: str, project_id: str) -> list[dict[str, Any]]:
    """The catalog as a token of a project carries it."""
    return [
        {
            "id": ids.stable_id("service", kind),
            "type": kind,
            "name": name,
            "endpoints": [
                _endpoint(kind, interface, url + path.format(project=project_id)) for interface in _INTERFACES
            ],
        }
        for kind, name, path in _SERVICES
    ]


_INTERFACES = ("public", "internal", "admin")


def _endpoint(kind: str, interface: str, url: str) -> dict[str, str]:
    return {
        "id": ids.stable_id("endpoint", kind, interface),
        "interface": interface,
        "region": REGION,
        "region_id": REGION,
        "url": url,
    }
