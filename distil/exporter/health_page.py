# SPDX-License-Identifier: Apache-2.0
"""The response to a health check, in the format of oslo.middleware's healthcheck."""

import datetime
import json
from collections.abc import Callable
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from distil.escaping import escape_control
from distil.exporter.health import HealthState
from distil.exporter.health import assess
from distil.exporter.pages import NO_STORE_HEADERS
from distil.exporter.pages import Response
from distil.exporter.pages import parse_accept
from distil.monitoring.history import Snapshot
from distil.monitoring.project_states import LaggingProject

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"

# Failed projects in the JSON response. A cloud has thousands of projects.
_MAX_PROJECTS = 20


class HealthPage:
    """Health in plain text; in JSON if the Accept header names it.

    :param clock: returns the current time, in UTC.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime.datetime]) -> None:
        self._snapshot = snapshot
        self._clock = clock

    def render(self, accept: str) -> Response:
        snapshot = self._snapshot()
        health = assess(snapshot, self._clock())
        healthy = health.state is not HealthState.UNHEALTHY
        status = HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE
        lines = health.lines or ["OK"]
        if _JSON in parse_accept(accept):
            body = json.dumps(_document(snapshot, healthy, lines), indent=4).encode()
            return Response(_JSON, body, status, NO_STORE_HEADERS)
        return Response(_TEXT, "\n".join(map(escape_control, lines)).encode(), status, NO_STORE_HEADERS)


def _document(snapshot: Snapshot, healthy: bool, lines: Sequence[str]) -> dict[str, Any]:
    lagging = snapshot.lagging
    failed = [project for project in lagging or () if project.problem is not None]
    return {
        "name": snapshot.collector,
        "healthy": healthy,
        "reasons": lines,
        "details": {
            "version": snapshot.version,
            "started": snapshot.started.isoformat(),
            # Null as long as no run has found out.
            "projects_with_windows_due": None if lagging is None else len(lagging),
            "projects_failed": None if lagging is None else len(failed),
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
