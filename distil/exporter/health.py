# SPDX-License-Identifier: Apache-2.0
"""Whether a collector is healthy, and what else is wrong, for the health check and the status page."""

import datetime
import enum
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.text import format_duration
from distil.text import format_timestamp
from distil.text import pluralize

# Unhealthy after the longer of these without a complete or partial run.
_MAX_IDLE_INTERVALS = 2
_MIN_IDLE_TIME = datetime.timedelta(minutes=10)
# Unhealthy after the longer of these in one run.
_MAX_RUN_INTERVALS = 4
_MIN_RUN_TIME = datetime.timedelta(hours=1)

_SUCCESSFUL = (RunOutcome.COMPLETE, RunOutcome.PARTIAL, RunOutcome.PAUSED)


class HealthState(enum.StrEnum):
    """Health in one word.

    ``starting``: no run has ended or stored a window yet. ``paused``: the collector is configured to collect nothing.
    """

    HEALTHY = "healthy"
    STARTING = "starting"
    PAUSED = "paused"
    UNHEALTHY = "unhealthy"


class Health(NamedTuple):
    """The health of a collector.

    :param reasons: why the collector is unhealthy; empty if it is not.
    :param warnings: what is wrong although usage may be collected, or why none is yet.
    """

    state: HealthState
    reasons: Sequence[str]
    warnings: Sequence[str]

    @property
    def lines(self) -> Sequence[str]:
        return [*self.reasons, *self.warnings]


def assess(snapshot: Snapshot, now: datetime.datetime) -> Health:
    """Returns the health of the collector."""
    reasons = _unhealthy_reasons(snapshot, now)
    if reasons:
        state = HealthState.UNHEALTHY
    elif _is_starting(snapshot):
        state = HealthState.STARTING
    else:
        state = HealthState.PAUSED if _is_paused(snapshot) else HealthState.HEALTHY
    return Health(state, reasons, [*_warnings(snapshot)])


def _is_starting(snapshot: Snapshot) -> bool:
    is_collecting = snapshot.current is not None and snapshot.current.windows
    return _last_run(snapshot.runs) is None and not is_collecting


def _is_paused(snapshot: Snapshot) -> bool:
    last = _last_run(snapshot.runs)
    return last is not None and last.outcome is RunOutcome.PAUSED


def _warnings(snapshot: Snapshot) -> Iterator[str]:
    current, last = snapshot.current, _last_run(snapshot.runs)
    if _is_starting(snapshot):
        yield "Starting: no run has ended yet."
    if _is_paused(snapshot):
        yield "Paused: max_windows_per_cycle is 0. Nothing is collected; all windows stay due."
    if current and current.problem:
        yield f"The run started at {format_timestamp(current.started)} is retrying: {current.problem}"
    if last and last.missing:
        number = pluralize(last.missing, "project is", "projects are")
        yield f"{number} missing in Keystone's list or in the scope, and not collected. The log says why."
    if last:
        yield from (f"Scope: {problem}." for problem in last.unmatched)
    yield from snapshot.problems


def _unhealthy_reasons(snapshot: Snapshot, now: datetime.datetime) -> Sequence[str]:
    reasons = [_overlong_run(snapshot, now)]
    # A run that is committing windows outweighs the results of earlier runs.
    if snapshot.current is None or not snapshot.current.windows:
        reasons += [_failed_run(snapshot.runs), _no_successful_run(snapshot, now)]
    return [reason for reason in reasons if reason]


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
