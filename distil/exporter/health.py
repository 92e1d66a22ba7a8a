# SPDX-License-Identifier: Apache-2.0
"""The health of a collector, in the format of oslo.middleware's healthcheck."""

import datetime
import json
from collections.abc import Callable
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from distil.escaping import escape_control
from distil.exporter.pages import NO_STORE_HEADERS
from distil.exporter.pages import Response
from distil.exporter.pages import parse_accept
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.monitoring.project_states import LaggingProject
from distil.text import format_duration
from distil.text import format_timestamp
from distil.text import pluralize

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"

# Unhealthy after the longer of these without a complete or partial run.
_MAX_IDLE_INTERVALS = 2
_MIN_IDLE_TIME = datetime.timedelta(minutes=10)
# Unhealthy after the longer of these in one run.
_MAX_RUN_INTERVALS = 4
_MIN_RUN_TIME = datetime.timedelta(hours=1)

_SUCCESSFUL = (RunOutcome.COMPLETE, RunOutcome.PARTIAL, RunOutcome.PAUSED)
# Failed projects in the JSON response. A cloud has thousands of projects.
_MAX_PROJECTS = 20


def unhealthy_reasons(snapshot: Snapshot, now: datetime.datetime) -> Sequence[str]:
    """Returns why the collector is unhealthy; empty if it is healthy."""
    reasons = [_overlong_run(snapshot, now)]
    # A run that is committing windows outweighs the results of earlier runs.
    if snapshot.current is None or not snapshot.current.windows:
        reasons += [_failed_run(snapshot.runs), _no_successful_run(snapshot, now)]
    return [reason for reason in reasons if reason]


def notes(snapshot: Snapshot) -> Sequence[str]:
    """Returns what else is to be known, although it does not make the collector unhealthy."""
    paused = ["Paused: max_windows_per_cycle is 0. Nothing is collected; all windows stay due."]
    last = _last_run(snapshot.runs)
    number = pluralize(last.missing, "project is", "projects are") if last else ""
    missing = [f"{number} missing in Keystone's list or in the scope, and not collected. The log says why."]
    return (paused if is_paused(snapshot) else []) + (missing if last and last.missing else [])


def is_paused(snapshot: Snapshot) -> bool:
    """Whether the collector is configured to collect nothing."""
    last = _last_run(snapshot.runs)
    return last is not None and last.outcome is RunOutcome.PAUSED


def _last_run(runs: Sequence[RunResult]) -> RunResult | None:
    return next((run for run in runs if run.outcome is not RunOutcome.STOPPED), None)


def _failed_run(runs: Sequence[RunResult]) -> str | None:
    last = _last_run(runs)
    if last is None or last.outcome is not RunOutcome.FAILED:
        return None
    return f"The run started at {format_timestamp(last.started)} failed: {last.problem}"


def _no_successful_run(snapshot: Snapshot, now: datetime.datetime) -> str | None:
    ends = (run.ended for run in snapshot.runs if run.ended and run.outcome in _SUCCESSFUL)
    since = next(ends, snapshot.started)
    if now - since <= max(_MAX_IDLE_INTERVALS * snapshot.interval, _MIN_IDLE_TIME):
        return None
    return f"No complete or partial run since {format_timestamp(since)}."


def _overlong_run(snapshot: Snapshot, now: datetime.datetime) -> str | None:
    run = snapshot.current
    if run is None or now - run.started <= max(_MAX_RUN_INTERVALS * snapshot.interval, _MIN_RUN_TIME):
        return None
    age = format_duration(now - run.started)
    return f"The run started at {format_timestamp(run.started)} is still running after {age}."


class HealthPage:
    """Health in plain text; in JSON if the Accept header names it.

    :param clock: returns the current time, in UTC.
    :param warnings: returns what is wrong although usage is collected.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        clock: Callable[[], datetime.datetime],
        warnings: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._warnings = warnings

    def render(self, accept: str) -> Response:
        snapshot = self._snapshot()
        reasons = unhealthy_reasons(snapshot, self._clock())
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        lines = [*reasons, *notes(snapshot), *self._warnings()] or ["OK"]
        if _JSON in parse_accept(accept):
            body = json.dumps(_document(snapshot, not reasons, lines), indent=4).encode()
            return Response(_JSON, body, status, NO_STORE_HEADERS)
        return Response(_TEXT, "\n".join(map(escape_control, lines)).encode(), status, NO_STORE_HEADERS)


def _document(snapshot: Snapshot, healthy: bool, lines: Sequence[str]) -> dict[str, Any]:
    failed = [project for project in snapshot.lagging if project.problem is not None]
    return {
        "name": snapshot.collector,
        "healthy": healthy,
        "reasons": lines,
        "details": {
            "version": snapshot.version,
            "started": snapshot.started.isoformat(),
            "projects_with_windows_due": len(snapshot.lagging),
            "projects_failed": len(failed),
            # Those with the largest lag.
            "failed": [_project(project) for project in failed[:_MAX_PROJECTS]],
        },
    }


def _project(project: LaggingProject) -> dict[str, Any]:
    return {
        "project_id": project.project_id,
        "name": project.name,
        "last_collected": project.last_collected and project.last_collected.isoformat(),
        "problem": project.problem,
    }
