# SPDX-License-Identifier: Apache-2.0
"""Whether a collector does what it is there for, as oslo.middleware's healthcheck would put it."""

import datetime
import json
from collections.abc import Callable
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from distil.exporter.resource import GUARDED
from distil.exporter.resource import Answer
from distil.exporter.resource import accepted
from distil.exporter.text import span
from distil.exporter.text import stamp
from distil.monitoring.history import Behind
from distil.monitoring.history import Outcome
from distil.monitoring.history import Run
from distil.monitoring.history import Snapshot

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"

# Intervals without a run that got as far as the projects, and time, where intervals are short.
_IDLE_INTERVALS = 2
_LEAST_IDLE = datetime.timedelta(minutes=10)
# Intervals, and time, that one run may last.
_RUN_INTERVALS = 4
_LEAST_RUN = datetime.timedelta(hours=1)

_GOOD = (Outcome.COMPLETE, Outcome.PARTIAL)
_MOST_PROJECTS = 20


def reasons(snapshot: Snapshot, now: datetime.datetime) -> Sequence[str]:
    """Why the collector is not healthy; nothing where it is."""
    found = [_lasting(snapshot, now)]
    # A run that commits windows tells more than those before it.
    if snapshot.current is None or not snapshot.current.windows:
        found += [_failed(snapshot.runs), _idle(snapshot, now)]
    return [reason for reason in found if reason]


def _failed(runs: Sequence[Run]) -> str | None:
    last = next((run for run in runs if run.outcome is not Outcome.STOPPED), None)
    if last is None or last.outcome is not Outcome.FAILED:
        return None
    return f"The run that started at {stamp(last.started)} failed: {last.problem}"


def _idle(snapshot: Snapshot, now: datetime.datetime) -> str | None:
    ends = (run.ended for run in snapshot.runs if run.ended and run.outcome in _GOOD)
    since = next(ends, snapshot.started)
    if now - since <= max(_IDLE_INTERVALS * snapshot.interval, _LEAST_IDLE):
        return None
    return f"No run has been complete or partial since {stamp(since)}."


def _lasting(snapshot: Snapshot, now: datetime.datetime) -> str | None:
    run = snapshot.current
    if run is None or now - run.started <= max(_RUN_INTERVALS * snapshot.interval, _LEAST_RUN):
        return None
    return f"The run that started at {stamp(run.started)} has lasted {span(now - run.started)}."


class Health:
    """Healthy or not, in a word or two, and in JSON for those who name it.

    :param clock: the time, aware and in UTC.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime.datetime]) -> None:
        self._snapshot = snapshot
        self._clock = clock

    def answer(self, accept: str) -> Answer:
        snapshot = self._snapshot()
        found = reasons(snapshot, self._clock())
        status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
        if _JSON in accepted(accept):
            return Answer(_JSON, json.dumps(_document(snapshot, found), indent=4).encode(), status, GUARDED)
        return Answer(_TEXT, "\n".join(found or ["OK"]).encode(errors="replace"), status, GUARDED)


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
            "failed": [_project(project) for project in failed[:_MOST_PROJECTS]],
        },
    }


def _project(project: Behind) -> dict[str, Any]:
    return {
        "project_id": project.project_id,
        "name": project.name,
        "last_collected": project.last_collected.isoformat(),
        "problem": project.problem,
    }
