# SPDX-License-Identifier: Apache-2.0
"""What a collector counts, in one registry."""

import datetime
import platform
import re
from collections.abc import Iterable
from collections.abc import Mapping

import prometheus_client

from distil import exceptions
from distil import model
from distil.exporter.pages import MetricsPage
from distil.monitoring.definitions import definition
from distil.monitoring.history import ProjectState
from distil.monitoring.history import RunOutcome
from distil.monitoring.lag import LagCollector
from distil.monitoring.usage_counter import UsageCounter
from distil.rating.rate import RatedWindow

# What is tried again.
STEP_WINDOW, STEP_TAKE, STEP_PLAN = "window", "take", "plan"

OUTCOME_COMMITTED, OUTCOME_FAILED = "committed", "failed"

# The status of a request that was not answered.
STATUS_ERROR = "error"

# Seconds. The longest is keystone_authtoken's usual time-out, and the longest that the database is waited for.
REQUEST_BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
COMMIT_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)


class Metrics:
    """The metrics of one collector process, one for each row of the table.

    Label values that are known before they happen are there from the start, so that rates see the first.

    :param versions: distribution name -> version, of what the collector runs with; ``distil`` among them.
    :param lag_allowed: since a project's last collected, before it is further back than it should be.
    """

    def __init__(
        self, versions: Mapping[str, str], lag_allowed: datetime.timedelta = datetime.timedelta(hours=3)
    ) -> None:
        # Of each counter and histogram it would make another metric, which tells when the process started.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus_client.CollectorRegistry()
        self._tell_versions(versions)
        self.config_info = self._gauge("config_info")
        self._of_runs()
        self._of_windows()
        self.lags = LagCollector(lag_allowed)
        self.registry.register(self.lags)
        self._of_samples()
        self._of_services()
        self.leases_held = self._gauge("leases_held")
        self.leases_lost = self._counter("leases_lost_total")
        self.leases_taken_over = self._counter("leases_taken_over_total")
        prometheus_client.ProcessCollector(registry=self.registry)
        # The last one: a page ends with its series.
        self._usage = UsageCounter()
        self.registry.register(self._usage)

    def committed(self, project_id: str, window: model.Window, rated: RatedWindow, seconds: float) -> None:
        """Count what has been committed.

        :param seconds: that it took to commit it.
        """
        self.commit_duration.observe(seconds)
        self._windows_committed.inc()
        self.lags.update(project_id, window.end)
        self.usage_entries.inc(len(rated.usage))
        self.samples_fetched.inc(rated.samples)
        self.samples_used.inc(rated.used)
        self.samples_untrusted.inc(rated.untrusted)
        for sample in rated.rejected:
            self.samples_rejected.labels(sample.kind).inc()
        self.count_usage(project_id, rated.usage)

    def count_usage(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        """Count usage that has been committed."""
        self._usage.add(project_id, usage)

    def count_request(self, service: str, method: str, status: int | None, seconds: float) -> None:
        """Count a request.

        :param status: None where no answer came.
        :param seconds: from the request to the headers of its answer.
        """
        self.http_requests.labels(service, method, STATUS_ERROR if status is None else status).inc()
        self.http_request_duration.labels(service, method).observe(seconds)

    def pages(self) -> MetricsPage:
        return MetricsPage(self.registry, self._usage.series)

    def _tell_versions(self, versions: Mapping[str, str]) -> None:
        labels = {_label(name): version for name, version in versions.items()}
        labels["python_version"] = platform.python_version()
        self.build_info = self._gauge("build_info", sorted(labels))
        self.build_info.labels(**labels).set(1)

    def _of_runs(self) -> None:
        self.run_interval = self._gauge("run_interval_seconds")
        self.last_run_start = self._gauge("last_run_start")
        self.last_run_end = self._gauge("last_run_end")
        self.last_run_duration = self._gauge("last_run_duration_seconds")
        self.last_complete_run = self._gauge("last_complete_run_timestamp_seconds")
        self.next_run = self._gauge("next_run_timestamp_seconds")
        self.runs = self._counter("runs_total", RunOutcome)

    def _of_windows(self) -> None:
        self.projects_in_scope = self._gauge("projects_in_scope")
        self.projects = self._gauge("projects")
        for state in ProjectState:
            self.projects.labels(state)
        self.windows = self._counter("windows_total", (OUTCOME_COMMITTED, OUTCOME_FAILED))
        self._windows_committed = self.windows.labels(OUTCOME_COMMITTED)
        self.windows_due = self._gauge("windows_due")
        self.usage_entries = self._counter("usage_entries_total")

    def _of_samples(self) -> None:
        self.samples_fetched = self._counter("samples_fetched_total")
        self.samples_used = self._counter("samples_used_total")
        self.samples_untrusted = self._counter("samples_untrusted_total")
        self.samples_rejected = self._counter("samples_rejected_total", exceptions.RejectionReason)

    def _of_services(self) -> None:
        self.http_requests = self._counter("http_requests_total")
        self.http_request_duration = self._histogram("http_request_duration_seconds", REQUEST_BUCKETS_SECONDS)
        self.commit_duration = self._histogram("commit_duration_seconds", COMMIT_BUCKETS_SECONDS)
        self.retries = self._counter("retries_total", (STEP_WINDOW, STEP_TAKE, STEP_PLAN))

    def _gauge(self, name: str, labels: Iterable[str] = ()) -> prometheus_client.Gauge:
        its = definition(name)
        return prometheus_client.Gauge(
            its.full_name, its.documentation, tuple(labels) or its.labels, registry=self.registry
        )

    def _counter(self, name: str, values: Iterable[str] = ()) -> prometheus_client.Counter:
        """:param values: those of its only label, as far as they are known before they happen."""
        its = definition(name)
        counter = prometheus_client.Counter(its.full_name, its.documentation, its.labels, registry=self.registry)
        for value in values:
            counter.labels(value)
        return counter

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> prometheus_client.Histogram:
        its = definition(name)
        return prometheus_client.Histogram(
            its.full_name, its.documentation, its.labels, buckets=buckets, registry=self.registry
        )


def _label(distribution: str) -> str:
    prefix = "" if distribution == "distil" else re.sub(r"\W|-", "_", distribution.lower()) + "_"
    return prefix + "version"
