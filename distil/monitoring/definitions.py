# SPDX-License-Identifier: Apache-2.0
"""Every metric there is: what a registry is filled from and the documentation made of."""

import dataclasses
import enum

PREFIX = "distil_collector_"


class Kind(enum.StrEnum):
    """Prometheus's types of metrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One metric.

    :param name: without the prefix; a counter's ends with ``_total``.
    :param unit: of its value, in Prometheus's base units; ``timestamp`` is seconds since 1970 in UTC, empty a number.
    :param labels: their names, in order.
    :param meaning: a sentence or two, in reStructuredText without markup.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def full_name(self) -> str:
        return PREFIX + self.name


def row(name: str) -> Row:
    """The row of a metric, by its name without the prefix."""
    return next(each for each in TABLE if each.name == name)


TABLE = (
    Row("build_info", Kind.GAUGE, "", ("version", "python_version"), "Always 1. The labels, of which there is one for "
        "each library too, tell what the collector is and runs with."),
    Row("config_info", Kind.GAUGE, "", ("collector_type", "digest"), "Always 1. The digest is that of the options, "
        "meter mappings and transformer file in force: it differs where they do. What a host has for itself, like the "
        "exporter's address, does not count."),
    Row("run_interval_seconds", Kind.GAUGE, "seconds", (), "From the start of a run to the start of the next."),
    Row("last_run_start", Kind.GAUGE, "timestamp", (), "When the last run started; 0 before the first."),
    Row("last_run_end", Kind.GAUGE, "timestamp", (), "When the last run ended that got as far as the projects; 0 "
        "before the first. It does not move while Keystone or the database does not answer."),
    Row("last_run_duration_seconds", Kind.GAUGE, "seconds", (), "How long that run took."),
    Row("last_complete_run_timestamp_seconds", Kind.GAUGE, "timestamp", (), "When the last run ended in which no "
        "project failed; 0 before the first."),
    Row("next_run_timestamp_seconds", Kind.GAUGE, "timestamp", (), "When the next run starts; during a run, when the "
        "one after it does."),
    Row("runs_total", Kind.COUNTER, "", ("outcome",), "Runs that ended: complete (no project failed), partial (at "
        "least one did), failed (as a whole, because of Keystone, the database or the configuration) or "
        "stopped."),
    Row("projects_in_scope", Kind.GAUGE, "", (), "Projects in the scope of the last run."),
    Row("projects", Kind.GAUGE, "", ("state",), "Projects in scope by what the last run left of them: up_to_date, "
        "behind (windows are due that it had no room for), failed (a window that was due could not be collected) or "
        "skipped (another collector's, or nobody can tell what is due)."),
    Row("windows_total", Kind.COUNTER, "", ("outcome",), "Windows of projects: committed, or failed (it waits for the "
        "next run, and so do its project's other windows)."),
    Row("windows_due", Kind.GAUGE, "", (), "Windows that were due when the last run started and that nobody had "
        "committed when it ended."),
    Row("usage_entries_total", Kind.COUNTER, "", (), "Usage entries stored."),
    Row("lag_seconds", Kind.GAUGE, "seconds", (), "Since the last collected of the project in scope that is furthest "
        "back; it grows while nothing is collected."),
    Row("project_lag_seconds", Kind.GAUGE, "seconds", ("project_id",), "Since a project's last collected, of the 20 "
        "projects furthest back among those that are further back than they should be."),
    Row("samples_fetched_total", Kind.COUNTER, "", (), "Samples that telemetry answered for windows committed."),
    Row("samples_used_total", Kind.COUNTER, "", (), "Samples of them that a meter mapping billed by."),
    Row("samples_untrusted_total", Kind.COUNTER, "", (), "Samples of them whose source is not trusted."),
    Row("samples_rejected_total", Kind.COUNTER, "", ("reason",), "Samples of them that cannot be used and are kept, by "
        "the kind of the reason."),
    Row("http_requests_total", Kind.COUNTER, "", ("service", "method", "status"), "Requests to services of the cloud, "
        "by service type and HTTP status; error where no answer came."),
    Row("http_request_duration_seconds", Kind.HISTOGRAM, "seconds", ("service", "method"), "From a request to the "
        "headers of its answer."),
    Row("commit_duration_seconds", Kind.HISTOGRAM, "seconds", (), "How long it took to store a window."),
    Row("retries_total", Kind.COUNTER, "", ("step",), "Attempts that failed and were followed by another: window, "
        "take (of projects) or plan (of the run)."),
    Row("leases_held", Kind.GAUGE, "", (), "Leases of projects that are held now."),
    Row("leases_lost_total", Kind.COUNTER, "", (), "Leases that another collector took before the project was done."),
    Row("leases_taken_over_total", Kind.COUNTER, "", (), "Leases of other collectors that had expired and were taken."),
    Row("usage_total", Kind.COUNTER, "", ("project_id", "service", "unit"), "Usage stored since the process started, "
        "in unit. It rises after the commit, by what was stored."),
)  # fmt: skip
