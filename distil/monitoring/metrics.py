# SPDX-License-Identifier: Apache-2.0
"""The metrics of a collector process, in one registry."""

import datetime
import enum
import platform
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

import prometheus_client
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from distil import exceptions
from distil import model
from distil.monitoring.definitions import definition
from distil.monitoring.history import RunOutcome
from distil.monitoring.lag import LagCollector
from distil.monitoring.project_states import ProjectState
from distil.monitoring.sample_delay import SampleDelays
from distil.monitoring.usage_counter import UsageCounter


class RetryStep(enum.StrEnum):
    """A step of a run that is attempted several times."""

    WINDOW = "window"
    TAKE = "take"
    PLAN = "plan"


class WindowOutcome(enum.StrEnum):
    """The outcome of a window: stored, or due again in the next run."""

    COMMITTED = "committed"
    FAILED = "failed"


# The status label of a request without a response.
_NO_RESPONSE = "error"

# Seconds. The longest are the default time-out of [keystone_authtoken], and of a database's lock wait.
_REQUEST_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)


class Metrics:
    """The metrics of one collector process, one for each definition. Threads share it.

    Series whose label values are known in advance exist from the start, so that ``rate()`` sees their first increment.

    :param versions: version by distribution name, of this software (``distil``) and of its libraries.
    :param lag_allowed: time since a project's last collected beyond which the project gets a lag series of its own.
    :param log_errors: number of log records that could not be written so far.
    """

    def __init__(
        self,
        versions: Mapping[str, str],
        lag_allowed: datetime.timedelta = datetime.timedelta(hours=3),
        log_errors: Callable[[], int] = int,
    ) -> None:
        # For each counter and histogram it would add another metric with the start time of the process.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus_client.CollectorRegistry()
        self._set_build_info(versions)
        self.config_info = self._gauge("config_info")
        self.config_last_reload_successful = self._gauge("config_last_reload_successful")
        self.config_last_reload_successful.set(1)
        self._define_runs()
        self._define_windows()
        self.lags = LagCollector(lag_allowed)
        self.registry.register(self.lags)
        self._define_samples()
        self._define_services()
        self.leases_held = self._gauge("leases_held")
        self.leases_lost = self._counter("leases_lost_total")
        self.leases_taken_over = self._counter("leases_taken_over_total")
        self.registry.register(_LogErrors(log_errors))
        prometheus_client.ProcessCollector(registry=self.registry)
        # Registered last: its series are appended to the rendered page.
        self._usage = UsageCounter()
        self.registry.register(self._usage)

    def set_scope(self, last_collected: Mapping[str, datetime.datetime], now: datetime.datetime) -> None:
        """Set the projects in scope.

        :param last_collected: by project id.
        """
        self.lags.replace(last_collected)
        self._usage.drop_gone(last_collected, now)

    def count_window(self, project_id: str, window: model.Window, rated: model.RatedWindow, seconds: float) -> None:
        """Count a committed window.

        :param seconds: duration of its transaction.
        """
        self.commit_duration.observe(seconds)
        self._windows_committed.inc()
        self.windows_empty.inc(rated.is_empty)
        self.lags.update(project_id, window.end)
        self.usage_entries.inc(len(rated.usage))
        self.samples_fetched.inc(rated.samples)
        self.samples_used.inc(len(rated.used))
        self.samples_untrusted.inc(rated.untrusted)
        for content, number in rated.duplicates.items():
            self.samples_duplicate.labels(content).inc(number)
        for sample in rated.rejected:
            self.samples_rejected.labels(sample.kind).inc()
        self.count_usage(project_id, rated.usage)

    def count_usage(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        """Count committed usage entries."""
        self._usage.add(project_id, usage)

    def count_request(self, service: str, method: str, status: int | None, seconds: float) -> None:
        """Count a request.

        :param status: HTTP status; None where there was no response.
        :param seconds: from the request to the headers of its response.
        """
        self.http_requests.labels(service, method, _NO_RESPONSE if status is None else status).inc()
        self.http_request_duration.labels(service, method).observe(seconds)

    def usage_series(self) -> bytes:
        """The series of the usage counter in the exposition format; the registry holds only their metadata."""
        return self._usage.series()

    def _set_build_info(self, versions: Mapping[str, str]) -> None:
        labels = {_version_label(name): version for name, version in versions.items()}
        labels["python_version"] = platform.python_version()
        self.build_info = self._gauge("build_info", sorted(labels))
        self.build_info.labels(**labels).set(1)

    def _define_runs(self) -> None:
        self.run_interval = self._gauge("run_interval_seconds")
        self.last_run_start = self._gauge("last_run_start")
        self.last_run_end = self._gauge("last_run_end")
        self.last_run_duration = self._gauge("last_run_duration_seconds")
        self.last_complete_run = self._gauge("last_complete_run_timestamp_seconds")
        self.next_run = self._gauge("next_run_timestamp_seconds")
        self.runs = self._counter("runs_total", RunOutcome)

    def _define_windows(self) -> None:
        self.projects_in_scope = self._gauge("projects_in_scope")
        # Not 0, for which there is an alert.
        self.projects_in_scope.set(float("nan"))
        self.scope_entries_unmatched = self._gauge("scope_entries_unmatched")
        self.departed_projects = self._gauge("departed_projects")
        for state in ("collected", "missing"):
            self.departed_projects.labels(state)
        self.projects = self._gauge("projects")
        for state in ProjectState:
            self.projects.labels(state)
        self.windows = self._counter("windows_total", WindowOutcome)
        self._windows_committed = self.windows.labels(WindowOutcome.COMMITTED)
        self.windows_late = self._counter("windows_late_total")
        self.windows_empty = self._counter("windows_empty_total")
        self.windows_suspect = self._counter("windows_suspect_total")
        self.projects_held = self._gauge("projects_held")
        self.windows_due = self._gauge("windows_due")
        self.usage_entries = self._counter("usage_entries_total")

    def _define_samples(self) -> None:
        self.samples_fetched = self._counter("samples_fetched_total")
        self.samples_used = self._counter("samples_used_total")
        self.samples_untrusted = self._counter("samples_untrusted_total")
        self.samples_duplicate = self._counter("samples_duplicate_total", model.DuplicateContent)
        self.samples_rejected = self._counter("samples_rejected_total", exceptions.RejectionReason)
        self.sample_delays = SampleDelays()
        self.registry.register(self.sample_delays)

    def _define_services(self) -> None:
        self.http_requests = self._counter("http_requests_total")
        self.http_request_duration = self._histogram("http_request_duration_seconds", _REQUEST_BUCKETS)
        self.commit_duration = self._histogram("commit_duration_seconds", _COMMIT_BUCKETS)
        self.retries = self._counter("retries_total", RetryStep)

    def _gauge(self, name: str, labels: Iterable[str] = ()) -> prometheus_client.Gauge:
        metric = definition(name)
        return prometheus_client.Gauge(
            metric.full_name, metric.documentation, tuple(labels) or metric.labels, registry=self.registry
        )

    def _counter(self, name: str, values: Iterable[str] = ()) -> prometheus_client.Counter:
        """:param values: values of its only label that are known in advance."""
        metric = definition(name)
        counter = prometheus_client.Counter(
            metric.full_name, metric.documentation, metric.labels, registry=self.registry
        )
        for value in values:
            counter.labels(value)
        return counter

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> prometheus_client.Histogram:
        metric = definition(name)
        return prometheus_client.Histogram(
            metric.full_name, metric.documentation, metric.labels, buckets=buckets, registry=self.registry
        )


class _LogErrors(Collector):
    """A counter that logging keeps."""

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number

    def collect(self) -> Iterator[Metric]:
        metric = definition("log_errors_total")
        yield CounterMetricFamily(metric.full_name, metric.documentation, self._number())


def _version_label(distribution: str) -> str:
    prefix = "" if distribution == "distil" else re.sub(r"\W|-", "_", distribution.lower()) + "_"
    return prefix + "version"
