# SPDX-License-Identifier: Apache-2.0
"""Every metric there is: what a registry is filled from and the documentation made of."""

import dataclasses
import enum

PREFIX = "distil_collector_"


class MetricType(enum.StrEnum):
    """Prometheus's types of metrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclasses.dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric.

    :param name: without the prefix; a counter's ends with ``_total``.
    :param unit: of its value, in Prometheus's base units; ``timestamp`` is seconds since 1970 in UTC, empty a number.
    :param labels: their names, in order.
    :param meaning: a sentence or two, in reStructuredText without markup.
    """

    name: str
    type: MetricType
    unit: str
    labels: tuple[str, ...]
    documentation: str

    @property
    def full_name(self) -> str:
        return PREFIX + self.name


def definition(name: str) -> MetricDefinition:
    """The row of a metric, by its name without the prefix."""
    return next(each for each in DEFINITIONS if each.name == name)


DEFINITIONS = (
    MetricDefinition(
        "build_info",
        MetricType.GAUGE,
        "",
        ("version", "python_version"),
        "Always 1. The labels, of which there is one for each library too, tell what the collector is and runs with.",
    ),
    MetricDefinition(
        "config_info",
        MetricType.GAUGE,
        "",
        ("collector_type", "digest"),
        "Always 1. The digest is that of the options, "
        "meter mappings and transformer file in force: it differs where they do. What a host has for itself, like the "
        "exporter's address, does not count.",
    ),
    MetricDefinition(
        "run_interval_seconds", MetricType.GAUGE, "seconds", (), "From the start of a run to the start of the next."
    ),
    MetricDefinition(
        "last_run_start", MetricType.GAUGE, "timestamp", (), "When the last run started; 0 before the first."
    ),
    MetricDefinition(
        "last_run_end",
        MetricType.GAUGE,
        "timestamp",
        (),
        "When the last run ended that got as far as the projects; 0 "
        "before the first. It does not move while Keystone or the database does not answer.",
    ),
    MetricDefinition("last_run_duration_seconds", MetricType.GAUGE, "seconds", (), "How long that run took."),
    MetricDefinition(
        "last_complete_run_timestamp_seconds",
        MetricType.GAUGE,
        "timestamp",
        (),
        "When the last run ended in which no project failed; 0 before the first.",
    ),
    MetricDefinition(
        "next_run_timestamp_seconds",
        MetricType.GAUGE,
        "timestamp",
        (),
        "When the next run starts; during a run, when the one after it does.",
    ),
    MetricDefinition(
        "runs_total",
        MetricType.COUNTER,
        "",
        ("outcome",),
        "Runs that ended: complete (no project failed), partial (at "
        "least one did), failed (as a whole, because of Keystone, the database or the configuration) or "
        "stopped.",
    ),
    MetricDefinition("projects_in_scope", MetricType.GAUGE, "", (), "Projects in the scope of the last run."),
    MetricDefinition(
        "projects",
        MetricType.GAUGE,
        "",
        ("state",),
        "Projects in scope by what the last run left of them: up_to_date, "
        "behind (windows are due that it had no room for), failed (a window that was due could not be collected) or "
        "skipped (another collector's, or nobody can tell what is due).",
    ),
    MetricDefinition(
        "windows_total",
        MetricType.COUNTER,
        "",
        ("outcome",),
        "Windows of projects: committed, or failed (retried in the next run, like the other windows of the project).",
    ),
    MetricDefinition(
        "windows_due",
        MetricType.GAUGE,
        "",
        (),
        "Windows that were due when the last run started and that nobody had committed when it ended.",
    ),
    MetricDefinition("usage_entries_total", MetricType.COUNTER, "", (), "Usage entries stored."),
    MetricDefinition(
        "lag_seconds",
        MetricType.GAUGE,
        "seconds",
        (),
        "Since the last collected of the project in scope that is furthest back; it grows while nothing is collected.",
    ),
    MetricDefinition(
        "project_lag_seconds",
        MetricType.GAUGE,
        "seconds",
        ("project_id",),
        "Since a project's last collected, of the 20 "
        "projects furthest back among those that are further back than they should be.",
    ),
    MetricDefinition(
        "samples_fetched_total", MetricType.COUNTER, "", (), "Samples that telemetry answered for windows committed."
    ),
    MetricDefinition(
        "samples_used_total", MetricType.COUNTER, "", (), "Samples of them that a meter mapping billed by."
    ),
    MetricDefinition(
        "samples_untrusted_total", MetricType.COUNTER, "", (), "Samples of them whose source is not trusted."
    ),
    MetricDefinition(
        "samples_rejected_total",
        MetricType.COUNTER,
        "",
        ("reason",),
        "Samples of them that cannot be used and are kept, by the kind of the reason.",
    ),
    MetricDefinition(
        "http_requests_total",
        MetricType.COUNTER,
        "",
        ("service", "method", "status"),
        "Requests to services of the cloud, by service type and HTTP status; error where no answer came.",
    ),
    MetricDefinition(
        "http_request_duration_seconds",
        MetricType.HISTOGRAM,
        "seconds",
        ("service", "method"),
        "From a request to the headers of its answer.",
    ),
    MetricDefinition(
        "commit_duration_seconds", MetricType.HISTOGRAM, "seconds", (), "How long it took to store a window."
    ),
    MetricDefinition(
        "retries_total",
        MetricType.COUNTER,
        "",
        ("step",),
        "Attempts that failed and were followed by another: window, take (of projects) or plan (of the run).",
    ),
    MetricDefinition("leases_held", MetricType.GAUGE, "", (), "Leases of projects that are held now."),
    MetricDefinition(
        "leases_lost_total",
        MetricType.COUNTER,
        "",
        (),
        "Leases that another collector took before the project was done.",
    ),
    MetricDefinition(
        "leases_taken_over_total",
        MetricType.COUNTER,
        "",
        (),
        "Leases of other collectors that had expired and were taken.",
    ),
    MetricDefinition(
        "usage_total",
        MetricType.COUNTER,
        "",
        ("project_id", "service", "unit"),
        "Usage stored since the process started, in unit. It rises after the commit, by what was stored.",
    ),
)
