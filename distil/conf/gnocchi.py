# SPDX-License-Identifier: Apache-2.0
"""[gnocchi]: the options of the telemetry driver of this name."""

import dataclasses

from oslo_config import cfg

GROUP = "gnocchi"

OPTS = [
    cfg.StrOpt(
        "meters_file",
        default="/etc/distil/gnocchi_meters.yml",
        help="File that says where the samples of each meter are in Gnocchi.",
    ),
    cfg.IntOpt(
        "granularity",
        default=300,
        min=1,
        max=3600,
        help="Length of the aggregates that are read, in seconds. An hour must be a multiple of it, and the archive "
        "policy of each metric must have it. Metrics of Ceilometer's default policy have 300 only.",
    ),
    cfg.IntOpt(
        "lag",
        default=600,
        min=0,
        max=24 * 3600,
        help="Seconds after the end of a period until all of its measures have been posted to Gnocchi. No window is "
        "collected earlier. The default is two of Ceilometer's polling intervals.",
    ),
    cfg.IntOpt(
        "processing_timeout",
        default=180,
        min=0,
        max=3600,
        help="Seconds to wait for gnocchi-metricd to process the measures that have been posted. If they are not "
        "processed by then, the windows that they may belong to are collected in a later run.",
    ),
    cfg.ListOpt(
        "creators",
        default=[],
        help="Creators of the resources that are read, as the attribute creator of Gnocchi's resources has them: with "
        "Keystone, <user id>:<project id> of Ceilometer's user. Empty: all resources are read. Every user of a cloud "
        "may create resources in Gnocchi, for any project.",
    ),
    cfg.StrOpt(
        "source",
        default="gnocchi",
        help="Source of all samples, for trust_sources and filters: Gnocchi does not store the source of a sample.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GnocchiOptions:
    """The values of the group, by option name."""

    meters_file: str
    granularity: int
    lag: int
    processing_timeout: int
    creators: list[str]
    source: str
