# SPDX-License-Identifier: Apache-2.0
"""Whether a collector does what it is there for, as oslo.middleware's healthcheck would put it."""

import datetime
import json
from collections.abc import Callable
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from distil.exporter.resource import NO_STORE_HEADERS
from distil.exporter.resource import Response
from distil.exporter.resource import parse_accept
from distil.exporter.text import format_duration
from distil.exporter.text import format_timestamp
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.monitoring.project_states import LaggingProject

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"

# Intervals without a run that got as far as the projects, and time, where intervals are short.
MAX_IDLE_INTERVALS = 2
MIN_IDLE_TIME = datetime.timedelta(minutes=10)
# Intervals, and time, that one run may last.
MAX_RUN_INTERVALS = 4
MIN_RUN_TIME = datetime.timedelta(hours=1)

_GOOD = (RunOutcome.COMPLETE, RunOutcome.PARTIAL)
MAX_PROJECTS = 20


def reasons(snapshot: Snapshot, now: datetime.datetime) -> Sequence[str]:
    """Why the collector is not healthy; nothing where it is."""
    found = [_lasting(snapshot, now)]
    # A run that commits windows tells more than those before it.
    if snapshot.current is None or not snapshot.current.windows:
        found += [_failed(snapshot.runs), _idle(snapshot, now)]
    return [reason for reason in found if reason]


def _failed(runs: Sequence[RunResult]) -> str | None:
    last = next((run for run in runs if run.outcome is not RunOutcome.STOPPED), None)
    if last is None or last.outcome is not RunOutcome.FAILED:
        return None
    return f"The run that started at {format_timestamp(last.started)} failed: {last.problem}"


def _idle(snapshot: Snapshot, now: datetime.datetime) -> str | None:
    ends = (run.ended for run in snapshot.runs if run.ended and run.outcome in _GOOD)
    since = next(ends, snapshot.started)
    if now - since <= max(MAX_IDLE_INTERVALS * snapshot.interval, MIN_IDLE_TIME):
        return None
    return f"No run has been complete or partial since {format_timestamp(since)}."


def _lasting(snapshot: Snapshot, now: datetime.datetime) -> str | None:
    run = snapshot.current
    if run is None or now - run.started <= max(MAX_RUN_INTERVALS * snapshot.interval, MIN_RUN_TIME):
        return None
    return f"The run that started at {format_timestamp(run.started)} has lasted {format_duration(now - run.started)}."


class HealthPage:
    """Healthy or not, in a word or two, and in JSON for those who name it.

    :param clock: the time, aware and in UTC.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime.datetime]) -> None:
        self._snapshot = snapshot
        self._clock = clock

    def render(self, accept: str) -> Response:
        snapshot = self._snapshot()
        found = reasons(snapshot, self._clock())
        status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
        if _JSON in parse_accept(accept):
            return Response(_JSON, json.dumps(_document(snapshot, found), indent=4).encode(), status, NO_STORE_HEADERS)
        return Response(_TEXT, "\n".join(found or ["OK"]).encode(errors="replace"), status, NO_STORE_HEADERS)


def _document(snapshot: Snapshot, found: Sequence[str]) -> dict[str, Any]:
    failed = [project for project in snapshot.behind if project.problem is not None]
    return {
        "name": snapshot.collector,
        "healthy": not found,
        "reasons": found or ["OK"],
        "details": {
            "version": snapshot.version,
            "started": snapshot.started.isoformat(),
            "projects_with_windows_due": len(snapshot.behind),
            "projects_failed": len(failed),
            # The furthest back of them: a cloud has thousands.
            "failed": [_project(project) for project in failed[:MAX_PROJECTS]],
        },
    }


def _project(project: LaggingProject) -> dict[str, Any]:
    return {
        "project_id": project.project_id,
        "name": project.name,
        "last_collected": project.last_collected.isoformat(),
        "problem": project.problem,
    }
