# SPDX-License-Identifier: Apache-2.0
"""[collector] and [collector:NAME]: what is collected, how and when."""

import copy
import dataclasses
import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_config import types

GROUP = "collector"

# A comma outside of the braces and brackets of a regular expression.
_SEPARATOR = re.compile(r",(?![^{]*\}|[^\[]*\])")


class _Patterns(types.List):
    """A comma-separated list of regular expressions, which may have commas in braces and brackets."""

    def __init__(self) -> None:
        super().__init__(type_name="list of regular expressions")

    def __call__(self, value: Any) -> list[str]:
        if isinstance(value, str):
            return [part.strip() for part in _SEPARATOR.split(value)] if value.strip() else []
        return list(value)


OPTS = [
    cfg.StrOpt(
        "collector_backend",
        default="ceilometer",
        help="Name of the telemetry driver in the distil.telemetry entry-point group.",
    ),
    cfg.StrOpt(
        "meter_mappings_file",
        default="/etc/distil/meter_mappings.yml",
        help="File that maps meters to usage of services.",
    ),
    cfg.StrOpt(
        "transformer_file",
        default="/etc/distil/transformer.yml",
        help="File with the options of the transformers.",
    ),
    cfg.IntOpt(
        "periodic_interval",
        default=3600,
        min=1,
        max=31 * 24 * 3600,
        help="Seconds from the start of a run to the start of the next, regardless of how long a run takes.",
    ),
    cfg.IntOpt(
        "collect_window",
        default=1,
        min=1,
        max=31 * 24,
        help="Hours of usage that are collected and stored as one window.",
    ),
    cfg.IntOpt(
        "collection_delay",
        default=0,
        min=0,
        max=31 * 24 * 3600,
        help="Seconds to wait after a window's end before collecting it, for telemetry that delivers samples late.",
    ),
    cfg.IntOpt(
        "max_windows_per_cycle",
        default=1,
        min=0,
        help="Maximum number of windows of a project that a run collects, oldest first. With more than one, a project "
        "whose collection failed for a while catches up. Windows without samples do not count. 0 pauses the collector: "
        "it collects nothing, and all windows stay due.",
    ),
    cfg.IntOpt(
        "max_collection_start_age",
        default=864,
        min=0,
        max=100 * 366 * 24,
        help="Maximum age in hours of the first window of a project that has never been collected.",
    ),
    cfg.IntOpt(
        "departed_windows",
        default=2,
        min=0,
        max=31 * 24,
        help="Number of windows without samples after which the collection of a project ends that Keystone no longer "
        "lists as enabled. Until then its last usage is collected. 0: it is not collected at all any more.",
    ),
    cfg.ListOpt(
        "recheck_after",
        item_type=types.Integer(min=1, max=31 * 24),
        default=[],
        help="Hours after the end of a window at which runs compare it with what the telemetry service holds then, such"
        " as 6, 48: so samples that came too late are found. If empty, only distil-manage window recheck compares.",
    ),
    cfg.IntOpt(
        "guard_projects",
        default=10,
        min=0,
        help="Number of projects that must have lost a meter before it counts as vanished: all of them had it in their "
        "previous window, and no project that is collected in the same run has it now. Their windows are held, because "
        "the telemetry service may answer with less than it has. 0: no window is held.",
    ),
    cfg.IntOpt(
        "guard_patience",
        default=3,
        min=1,
        help="Number of runs for which windows are held whose meters have vanished. Then they are billed as suspect.",
    ),
    cfg.StrOpt(
        "project_order",
        default="ascending",
        choices=[
            ("ascending", "by project id"),
            ("descending", "by project id, descending"),
            ("random", "a different order in each run"),
        ],
        help="Order in which projects are collected. Those that failed in the previous run come last.",
    ),
    cfg.IntOpt(
        "workers",
        default=1,
        min=1,
        help="Number of processes that divide the scope. Their exporters use consecutive ports from exporter_port.",
    ),
    cfg.IntOpt(
        "concurrency",
        default=8,
        min=1,
        max=64,
        help="Number of threads per process that collect projects, so that it makes progress while others wait for "
        "services and the database.",
    ),
    cfg.Opt(
        "trust_sources",
        type=_Patterns(),
        default=[],
        help="Regular expressions, matched at the beginning of a sample's source. Samples from other sources are "
        "ignored and counted. If empty, every source is trusted.",
    ),
    cfg.StrOpt(
        "partitioning_suffix",
        help="Name of this collector if several collect different scopes. Log lines include it.",
    ),
    cfg.ListOpt(
        "include_domains",
        default=[],
        help="Names or IDs of the domains whose projects are collected. If empty, all domains.",
    ),
    cfg.ListOpt(
        "ignore_domains",
        default=[],
        help="Names or IDs of domains whose projects are not collected. Has no effect if include_domains is set.",
    ),
    cfg.ListOpt(
        "include_projects",
        default=[],
        deprecated_name="include_tenants",
        help="Names or IDs of the projects that are collected, in any domain that include_domains does not exclude. If "
        "empty, all projects.",
    ),
    cfg.ListOpt(
        "ignore_projects",
        default=[],
        deprecated_name="ignore_tenants",
        help="Names or IDs of projects that are not collected. Has no effect if include_projects is set.",
    ),
    cfg.BoolOpt(
        "enable_exporter",
        default=False,
        help="Serve metrics for Prometheus.",
    ),
    cfg.HostAddressOpt(
        "exporter_host",
        default="0.0.0.0",  # noqa: S104 - as the OpenStack services do by default
        help="Address that the exporter listens on. 0.0.0.0 is every IPv4 address of the host; localhost is 127.0.0.1"
        " and ::1.",
    ),
    cfg.PortOpt(
        "exporter_port",
        default=16799,
        help="Port that the exporter listens on. 0 is any free port, which is logged.",
    ),
    cfg.StrOpt(
        "exporter_certfile",
        help="PEM file with the exporter's certificate and intermediate certificates. If set, the exporter uses TLS.",
    ),
    cfg.StrOpt(
        "exporter_keyfile",
        help="PEM file with the unencrypted private key of the certificate, if exporter_certfile does not contain it.",
    ),
    cfg.StrOpt(
        "exporter_client_cafile",
        help="PEM file with CA certificates. If set, the exporter only accepts clients that present a certificate "
        "issued by one of these CAs.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def register_named_opts(conf: cfg.ConfigOpts, names: Iterable[str]) -> None:
    """Register the options of the groups [collector:NAME]."""
    for name in names:
        conf.register_opts([_without_default(option) for option in OPTS], group=f"{GROUP}:{name}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CollectorOptions:
    """The options of one collector, by option name, as they were when they were read.

    :param group: the group that they are from.
    :param name: of the collector, in logs and metrics.
    """

    group: str
    name: str
    collector_backend: str
    meter_mappings_file: str
    transformer_file: str
    periodic_interval: int
    collect_window: int
    collection_delay: int
    max_windows_per_cycle: int
    max_collection_start_age: int
    departed_windows: int
    recheck_after: tuple[int, ...]
    guard_projects: int
    guard_patience: int
    project_order: str
    workers: int
    concurrency: int
    trust_sources: tuple[str, ...]
    partitioning_suffix: str | None
    include_domains: tuple[str, ...]
    ignore_domains: tuple[str, ...]
    include_projects: tuple[str, ...]
    ignore_projects: tuple[str, ...]
    enable_exporter: bool
    exporter_host: str
    exporter_port: int
    exporter_certfile: str | None
    exporter_keyfile: str | None
    exporter_client_cafile: str | None

    @property
    def exporter_ports(self) -> Sequence[int]:
        """The exporter port of each worker; empty without exporters."""
        if not self.enable_exporter:
            return ()
        return [self.exporter_port and self.exporter_port + worker for worker in range(self.workers)]


def read(conf: cfg.ConfigOpts, group: str = GROUP) -> CollectorOptions:
    """Read the options of one collector; those not set in its group are read from [collector].

    :param group: registered by :func:`register_opts` or :func:`register_named_opts`.
    """
    values = {option.dest: _value(conf, group, option.dest) for option in OPTS}
    name = group.partition(":")[2] or values["partitioning_suffix"] or "default"
    return CollectorOptions(group=group, name=name, **values)


def _value(conf: cfg.ConfigOpts, group: str, name: str) -> Any:
    value = conf[group][name]
    if value is None:
        value = conf[GROUP][name]
    return tuple(value) if isinstance(value, list) else value


def _without_default(option: cfg.Opt) -> cfg.Opt:
    """The option with no default, so that an unset one can be told apart: the default is [collector]'s value."""
    bare = copy.copy(option)
    bare.default = None
    return bare
