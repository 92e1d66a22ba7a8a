# SPDX-License-Identifier: Apache-2.0
"""How a collector reads the sandbox's usage through one or another telemetry service."""

import pathlib
from collections.abc import Mapping

from distil.sandbox.cloud import Cloud

TELEMETRY = ("ceilometer", "gnocchi", "prometheus", "aetos")
"""Names of the services."""

_ETC = pathlib.Path(__file__).with_name("etc")


def telemetry_sections(cloud: Cloud, telemetry: str) -> Mapping[str, Mapping[str, object]]:
    """Return the sections of a configuration by which a collector uses a telemetry service of a cloud.

    Nothing arrives late in a sandbox, and all sources are "openstack", so that they are trusted with Ceilometer's.

    :param telemetry: one of :data:`TELEMETRY`; the default of a collector needs no sections.
    """
    if telemetry == "ceilometer":
        return {}
    driver = "gnocchi" if telemetry == "gnocchi" else "prometheus"
    options: dict[str, object] = {"url": cloud.prometheus_url} if telemetry == "prometheus" else {}
    options |= {"meters_file": _ETC / f"{driver}_meters.yml", "lag": 0, "source": "openstack"}
    return {"collector": {"collector_backend": driver}, driver: options}
