# SPDX-License-Identifier: Apache-2.0
"""[collector] and [collector:NAME]: what is collected, how and when."""

import collections
import copy
import re
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_config import types

from distil import exceptions

GROUP = "collector"

_LAST_PORT = 65535

_SEPARATOR = re.compile(r",(?![^{]*\}|[^\[]*\])")


class _Patterns(types.List):
    """A list with commas, but for those within the braces and brackets of a regular expression."""

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
        help="The telemetry driver, by its name in the distil.telemetry namespace.",
    ),
    cfg.StrOpt(
        "meter_mappings_file",
        default="/etc/distil/meter_mappings.yml",
        help="The file that says which meters become usage of which services.",
    ),
    cfg.StrOpt(
        "transformer_file",
        default="/etc/distil/transformer.yml",
        help="The file that holds the transformers' options.",
    ),
    cfg.IntOpt(
        "periodic_interval",
        default=3600,
        min=1,
        max=31 * 24 * 3600,
        help="Seconds from the start of a run to the start of the next, however long a run takes.",
    ),
    cfg.IntOpt(
        "collect_window",
        default=1,
        min=1,
        max=31 * 24,
        help="Hours of usage that are collected and stored at once.",
    ),
    cfg.IntOpt(
        "collection_delay",
        default=0,
        min=0,
        max=31 * 24 * 3600,
        help="Seconds after a window's end before it may be collected, where telemetry brings samples late.",
    ),
    cfg.IntOpt(
        "max_windows_per_cycle",
        default=1,
        min=0,
        help="How many windows of a project are collected in one run, oldest first. With more than one, a project "
        "whose usage could not be collected for a while catches up.",
    ),
    cfg.IntOpt(
        "max_collection_start_age",
        default=864,
        min=0,
        max=100 * 366 * 24,
        help="How many hours ago the collection of a project that has never been collected may start at most.",
    ),
    cfg.StrOpt(
        "project_order",
        default="ascending",
        choices=[
            ("ascending", "by project id"),
            ("descending", "by project id, backwards"),
            ("random", "another order in each run"),
        ],
        help="The order in which projects are collected.",
    ),
    cfg.IntOpt(
        "workers",
        default=1,
        min=1,
        help="Processes that share the scope. Each has an exporter with a port of its own, from exporter_port on.",
    ),
    cfg.IntOpt(
        "concurrency",
        default=8,
        min=1,
        max=64,
        help="Threads of a process that collect projects, so that it works on some while services and the database "
        "answer about others.",
    ),
    cfg.Opt(
        "trust_sources",
        type=_Patterns(),
        default=[],
        help="Regular expressions that are matched at the beginning of a sample's source. Samples of other sources are "
        "ignored and counted. With an empty list every source is trusted.",
    ),
    cfg.StrOpt(
        "partitioning_suffix",
        help="A name for this collector where several collect different scopes. Log lines name it.",
    ),
    cfg.ListOpt(
        "include_domains",
        default=[],
        help="Names or ids of the domains whose projects are collected. With an empty list all are.",
    ),
    cfg.ListOpt(
        "ignore_domains",
        default=[],
        help="Names or ids of domains whose projects are not collected. Means nothing where include_domains is set.",
    ),
    cfg.ListOpt(
        "include_projects",
        default=[],
        deprecated_name="include_tenants",
        help="Names or ids of the projects that are collected, of any domain that is not left out by include_domains. "
        "With an empty list all are.",
    ),
    cfg.ListOpt(
        "ignore_projects",
        default=[],
        deprecated_name="ignore_tenants",
        help="Names or ids of projects that are not collected. Means nothing where include_projects is set.",
    ),
    cfg.BoolOpt(
        "enable_exporter",
        default=False,
        help="Show metrics to Prometheus.",
    ),
    cfg.HostAddressOpt(
        "exporter_host",
        default="0.0.0.0",  # noqa: S104 - what OpenStack's services do unless told otherwise
        help="The address that the exporter listens on. 0.0.0.0 is every IPv4 address of the host.",
    ),
    cfg.PortOpt(
        "exporter_port",
        default=16799,
        help="The port that the exporter listens on; 0 is any free one, which the log names.",
    ),
    cfg.StrOpt(
        "exporter_certfile",
        help="A certificate in PEM, with those between it and its authority's. With it the exporter speaks TLS.",
    ),
    cfg.StrOpt(
        "exporter_keyfile",
        help="The key of exporter_certfile's certificate, in PEM and not encrypted, where it is not in that file.",
    ),
    cfg.StrOpt(
        "exporter_client_cafile",
        help="Certificates of authorities, in PEM. With them the exporter only answers clients that show a certificate "
        "of one of these authorities.",
    ),
]

DEFAULT_OPTS = [
    cfg.ListOpt(
        "enabled_collectors",
        default=[],
        help="Names of collectors. Each is a process with the options of its group [collector:NAME], which are those "
        "of [collector] and default to the values there. With an empty list there is one collector, from [collector].",
    ),
]

CLI_OPTS = [
    cfg.StrOpt(
        "collector",
        dest="chosen_collector",
        metavar="NAME",
        help="Run just this one of the enabled collectors.",
    ),
    cfg.StrOpt(
        "collect-end-time",
        metavar="TIME",
        help="Collect every project in scope up to this time (ISO 8601, in UTC where it names no zone), however many "
        "windows that takes, and end: with status 0, or 1 where a project could not be brought up to it.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)
    conf.register_opts(DEFAULT_OPTS)


def register_named_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of the groups that ``enabled_collectors`` names, which has been read."""
    for name in conf.enabled_collectors:
        conf.register_opts([_without_default(option) for option in OPTS], group=f"{GROUP}:{name}")


class CollectorOptions:
    """A named collector; its options are attributes.

    :param name: None for the one that [collector] is.
    """

    def __init__(self, conf: cfg.ConfigOpts, name: str | None) -> None:
        self._conf = conf
        self.group = GROUP if name is None else f"{GROUP}:{name}"
        self.name: str = name or conf.collector.partitioning_suffix or "default"

    def __getattr__(self, option: str) -> Any:
        value = self._conf[self.group][option]
        return self._conf[GROUP][option] if value is None else value

    @property
    def exporter_ports(self) -> Sequence[int]:
        """The port of each worker's exporter; none without exporters."""
        if not self.enable_exporter:
            return ()
        return [self.exporter_port and self.exporter_port + worker for worker in range(self.workers)]


def collector_types(conf: cfg.ConfigOpts) -> list[CollectorOptions]:
    """The collectors to run.

    :raises ConfigurationError: they cannot be run side by side, or the one that was chosen is none of them.
    """
    names = conf.enabled_collectors
    problems = [
        f"[DEFAULT] enabled_collectors: there is no group [{GROUP}:{name}] in the configuration files"
        for name in names
        if f"{GROUP}:{name}" not in conf.list_all_sections()
    ]
    problems += [f"[DEFAULT] enabled_collectors: {name} is there twice" for name in _repeated(names)]
    chosen = conf.chosen_collector
    if chosen is not None and chosen not in names:
        known = f"they are {', '.join(names)}" if names else "there are none"
        problems.append(f"--collector {chosen} is none of [DEFAULT] enabled_collectors: {known}")
    if problems:
        raise exceptions.ConfigurationError(problems)
    register_named_opts(conf)
    found = [CollectorOptions(conf, name) for name in names or [None]]
    ports = [port for each in found for port in each.exporter_ports if port]
    problems = [f"exporter_port: {port} is used by more than one collector or worker" for port in _repeated(ports)]
    problems += [f"exporter_port: {port}, of a worker, is none" for port in ports if port > _LAST_PORT]
    if problems:
        raise exceptions.ConfigurationError(problems)
    return [each for each in found if chosen in (None, each.name)]


def _without_default(option: cfg.Opt) -> cfg.Opt:
    """The option where nothing is set: there is no saying so otherwise, and the default may change on a reload."""
    bare = copy.copy(option)
    bare.default = None
    return bare


def _repeated(values: Sequence[Any]) -> list[Any]:
    return [value for value, count in collections.Counter(values).items() if count > 1]
