# SPDX-License-Identifier: Apache-2.0
"""Snapshots of a collector's monitoring, as its status page and health check show them."""

import datetime
import uuid
from typing import Any

from distil.monitoring.history import RejectionEvent
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.monitoring.project_states import LaggingProject

HOUR = datetime.timedelta(hours=1)
NOW = datetime.datetime(2026, 11, 24, 12, 30, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


def clock() -> datetime.datetime:
    return NOW


def snapshot(**values: Any) -> Snapshot:
    """Return the snapshot of a process that has just started, with some values replaced."""
    nothing: dict[str, Any] = {"current": None, "runs": (), "lagging": (), "rejected": (), "next_run": None}
    process: dict[str, Any] = {"collector": "default", "version": "1.2.3", "interval": HOUR, "started": NOW - MINUTE}
    return Snapshot(**process | nothing | values)


def run(
    age: datetime.timedelta, outcome: RunOutcome | None = RunOutcome.COMPLETE, took: int = 120, **values: Any
) -> RunResult:
    """Return a run that started ``age`` ago; it took ``took`` seconds if it has an outcome, else it has not ended."""
    started = NOW - age
    run_id = f"req-{uuid.uuid5(uuid.NAMESPACE_OID, str(age))}"
    return RunResult(
        run_id, started, started + datetime.timedelta(seconds=took) if outcome else None, outcome, **values
    )


def lagging_project(
    name: str = "project", problem: str | None = None, hours: int = 2, project_id: str = "a1"
) -> LaggingProject:
    return LaggingProject(project_id, name, NOW - hours * HOUR, hours, problem)


def rich() -> Snapshot:
    """Return a snapshot that has every kind of content, in large numbers."""
    refused = "metering POST /query/samples: HTTP 503 Service Unavailable"
    long = "database: (pymysql.err.OperationalError) (2013, 'Lost connection to server during query') " + "x" * 150
    busy: dict[str, Any] = {"projects": 990, "due": 990, "usage_entries": 41234}
    runs = [
        run(number * HOUR + 5 * MINUTE, took=100 + number * 53 % 90, windows=900 + number * 37 % 90, **busy)
        for number in range(1, 49)
    ]
    runs[2] = run(3 * HOUR, RunOutcome.PARTIAL, projects=990, windows=640, due=990, failed=3, rejected=17)
    runs[9] = run(10 * HOUR, RunOutcome.FAILED, problem="identity GET /v3/projects: HTTP 503 Service Unavailable. " * 5)
    runs[30] = run(31 * HOUR, RunOutcome.STOPPED, projects=990, windows=210, due=990, usage_entries=12345)
    return snapshot(
        started=NOW - 50 * HOUR,
        current=run(5 * MINUTE, None, projects=990, windows=312, due=990),
        runs=tuple(runs),
        lagging=(
            lagging_project("research-cluster", refused, 9, "b8810f0093cd3369dc57b2fb00000001"),
            lagging_project("<b>bold</b> & ünïcode 🐌 " * 4, long, 4, "b8810f0093cd3369dc57b2fb00000002"),
            lagging_project("no-room", None, 3, "b8810f0093cd3369dc57b2fb00000003"),
            *(lagging_project(f"project-{number}", None, 2, f"{number:032x}") for number in range(200)),
        ),
        rejected=tuple(
            RejectionEvent(
                f"{number:032x}", "volume.size", "[2026-11-24T04:00:00Z, 2026-11-24T05:00:00Z)", number, reason
            )
            for number, reason in enumerate(("volume 'lots' is not a number", "timestamp is missing", "y" * 300), 1)
        ),
        next_run=NOW + 25 * MINUTE,
    )
