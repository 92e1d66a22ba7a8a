# SPDX-License-Identifier: Apache-2.0
"""The definition of every metric, from which the registry and the documentation are made."""

import dataclasses
import enum

_PREFIX = "distil_collector_"


class MetricType(enum.StrEnum):
    """Types of metrics in Prometheus."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclasses.dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric.

    :param name: without the prefix; a counter's ends with ``_total``.
    :param unit: unit of the value: a base unit of Prometheus, ``timestamp`` (seconds since 1970 in UTC), or empty for a
        number.
    :param labels: names of the labels, in order.
    :param documentation: a sentence or two in reStructuredText without markup.
    """

    name: str
    type: MetricType
    unit: str
    labels: tuple[str, ...]
    documentation: str

    @property
    def full_name(self) -> str:
        return _PREFIX + self.name


def definition(name: str) -> MetricDefinition:
    """Returns the definition of a metric by its name without the prefix."""
    return next(metric for metric in DEFINITIONS if metric.name == name)


DEFINITIONS = (
    MetricDefinition(
        "build_info",
        MetricType.GAUGE,
        "",
        ("version", "python_version"),
        "Always 1. The labels are the versions of the collector, of Python and of the libraries in use.",
    ),
    MetricDefinition(
        "config_info",
        MetricType.GAUGE,
        "",
        ("collector_type", "digest"),
        "Always 1. The digest identifies the options, meter mappings and transformer file in effect, without "
        "options of a host such as the exporter's address. It is the same for all processes with the same "
        "configuration.",
    ),
    MetricDefinition(
        "config_last_reload_successful",
        MetricType.GAUGE,
        "",
        (),
        "0 if the configuration files could not be used when SIGHUP was received last, so that the old configuration "
        "is still in force; else 1.",
    ),
    MetricDefinition(
        "run_interval_seconds",
        MetricType.GAUGE,
        "seconds",
        (),
        "Configured time between the starts of two runs.",
    ),
    MetricDefinition(
        "last_run_start",
        MetricType.GAUGE,
        "timestamp",
        (),
        "Start of the last run; 0 before the first run.",
    ),
    MetricDefinition(
        "last_run_end",
        MetricType.GAUGE,
        "timestamp",
        (),
        "End of the last run that did not fail; 0 before the first one. It does not advance while nothing can be "
        "collected: Keystone, the telemetry service or the database is unavailable, or no project is in scope.",
    ),
    MetricDefinition(
        "last_run_duration_seconds",
        MetricType.GAUGE,
        "seconds",
        (),
        "Duration of the last run that did not fail.",
    ),
    MetricDefinition(
        "last_complete_run_timestamp_seconds",
        MetricType.GAUGE,
        "timestamp",
        (),
        "End of the last run without failed projects; 0 before the first one.",
    ),
    MetricDefinition(
        "next_run_timestamp_seconds",
        MetricType.GAUGE,
        "timestamp",
        (),
        "Start of the next run; during a run, start of the run after it.",
    ),
    MetricDefinition(
        "runs_total",
        MetricType.COUNTER,
        "",
        ("outcome",),
        "Runs by outcome: complete (no project failed), partial (a project failed or is missing), failed (nothing was "
        "collected: because of Keystone, the database or the configuration, because no project is in scope, or because "
        "at least half of them failed and no window was committed), paused (max_windows_per_cycle is 0) or stopped "
        "(interrupted by a shutdown).",
    ),
    MetricDefinition(
        "projects_in_scope",
        MetricType.GAUGE,
        "",
        (),
        "Projects in scope at the last run; NaN until they have been read from Keystone.",
    ),
    MetricDefinition(
        "scope_entries_unmatched",
        MetricType.GAUGE,
        "",
        (),
        "Entries of include_domains, ignore_domains, include_projects and ignore_projects that matched no domain or "
        "enabled project at the last run.",
    ),
    MetricDefinition(
        "departed_projects",
        MetricType.GAUGE,
        "",
        ("state",),
        "Projects that Keystone no longer lists as enabled, at the last run, by state: collected (until their usage "
        "has ended) or missing (so many at once that they are not collected until a later run confirms it). "
        "Missing, too, are projects that left the scope while an entry of include_domains or include_projects matches "
        "nothing.",
    ),
    MetricDefinition(
        "projects",
        MetricType.GAUGE,
        "",
        ("state",),
        "Projects in scope, and departed ones that are collected, by state after the last run: up_to_date, behind "
        "(windows are still due because the run reached its limit), failed (a due window could not be collected, or "
        "last collected is not valid) or skipped (held by another collector).",
    ),
    MetricDefinition(
        "windows_total",
        MetricType.COUNTER,
        "",
        ("outcome",),
        "Windows of projects by outcome: committed, or failed (retried in the next run together with the "
        "project's later windows).",
    ),
    MetricDefinition(
        "windows_late_total",
        MetricType.COUNTER,
        "",
        (),
        "Windows of which a recheck has found that the telemetry service holds other samples than were collected, each "
        "counted once.",
    ),
    MetricDefinition(
        "windows_empty_total",
        MetricType.COUNTER,
        "",
        (),
        "Committed windows without samples of a trusted source.",
    ),
    MetricDefinition(
        "windows_suspect_total",
        MetricType.COUNTER,
        "",
        (),
        "Windows committed as suspect: they lack meters that had vanished from so many projects that the windows were "
        "held, or a meter had another unit than before.",
    ),
    MetricDefinition(
        "projects_held",
        MetricType.GAUGE,
        "",
        (),
        "Failed projects whose windows were held in the last run, because meters have vanished from many projects at "
        "once.",
    ),
    MetricDefinition(
        "windows_due",
        MetricType.GAUGE,
        "",
        (),
        "Windows due at the start of the last run that were not committed at its end.",
    ),
    MetricDefinition(
        "usage_entries_total",
        MetricType.COUNTER,
        "",
        (),
        "Usage entries stored.",
    ),
    MetricDefinition(
        "lag_seconds",
        MetricType.GAUGE,
        "seconds",
        (),
        "Largest time since last collected among the projects in scope; grows while nothing is collected.",
    ),
    MetricDefinition(
        "project_lag_seconds",
        MetricType.GAUGE,
        "seconds",
        ("project_id",),
        "Time since a project's last collected, for the 20 projects with the largest lag among those whose "
        "lag exceeds the normal lag.",
    ),
    MetricDefinition(
        "samples_fetched_total",
        MetricType.COUNTER,
        "",
        (),
        "Samples fetched from the telemetry service for committed windows.",
    ),
    MetricDefinition(
        "samples_used_total",
        MetricType.COUNTER,
        "",
        (),
        "Samples used for billing.",
    ),
    MetricDefinition(
        "samples_untrusted_total",
        MetricType.COUNTER,
        "",
        (),
        "Samples ignored because their source is not trusted.",
    ),
    MetricDefinition(
        "samples_duplicate_total",
        MetricType.COUNTER,
        "",
        ("content",),
        "Samples left out because another of the same message id counts, by whether its content is identical or"
        " changed.",
    ),
    MetricDefinition(
        "samples_rejected_total",
        MetricType.COUNTER,
        "",
        ("reason",),
        "Samples that cannot be used and were kept as rejected samples, by kind of reason.",
    ),
    MetricDefinition(
        "sample_delay_seconds",
        MetricType.HISTOGRAM,
        "seconds",
        (),
        "Time from a sample's timestamp until the telemetry service recorded it, of the samples of committed windows "
        "that tell it; exact to ten seconds.",
    ),
    MetricDefinition(
        "http_requests_total",
        MetricType.COUNTER,
        "",
        ("service", "method", "status"),
        "HTTP requests to services of the cloud, by service type, method and HTTP status; the status is error"
        " if no response was received.",
    ),
    MetricDefinition(
        "http_request_duration_seconds",
        MetricType.HISTOGRAM,
        "seconds",
        ("service", "method"),
        "Time from sending a request to receiving the headers of the response.",
    ),
    MetricDefinition(
        "commit_duration_seconds",
        MetricType.HISTOGRAM,
        "seconds",
        (),
        "Time to store a window in the database.",
    ),
    MetricDefinition(
        "retries_total",
        MetricType.COUNTER,
        "",
        ("step",),
        "Failed attempts that were retried, by step: window (collecting a window), take (claiming projects) "
        "or plan (planning the run).",
    ),
    MetricDefinition(
        "leases_held",
        MetricType.GAUGE,
        "",
        (),
        "Leases of projects held at the moment.",
    ),
    MetricDefinition(
        "leases_lost_total",
        MetricType.COUNTER,
        "",
        (),
        "Leases taken over by another collector before the project was finished.",
    ),
    MetricDefinition(
        "leases_taken_over_total",
        MetricType.COUNTER,
        "",
        (),
        "Leases of other collectors that were taken over, because they had expired or the process had died.",
    ),
    MetricDefinition(
        "log_errors_total",
        MetricType.COUNTER,
        "",
        (),
        "Log records that could not be written, for example because the disk is full.",
    ),
    MetricDefinition(
        "usage_total",
        MetricType.COUNTER,
        "",
        ("project_id", "service", "unit"),
        "Usage stored since the process started, in the unit of the label. It increases after the commit.",
    ),
)
