# SPDX-License-Identifier: Apache-2.0
"""[collector]: what is collected, how and when."""

from oslo_config import cfg

GROUP = "collector"

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
        help="Seconds from the start of a run to the start of the next, however long a run takes.",
    ),
    cfg.IntOpt(
        "collect_window",
        default=1,
        min=1,
        help="Hours of usage that are collected and stored at once.",
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
    cfg.ListOpt(
        "trust_sources",
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
]

CLI_OPTS = [
    cfg.StrOpt(
        "collect-end-time",
        metavar="TIME",
        help="Collect every project in scope up to this time (ISO 8601, in UTC where it names no zone), however many "
        "windows that takes, and end: with status 0, or 1 where a project could not be brought up to it.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)
