# SPDX-License-Identifier: Apache-2.0
"""What keeps a period from being proven complete."""

import datetime
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil.completeness import ProjectRecord
from distil.completeness import ProjectState
from distil.completeness import WindowRange
from distil.completeness import WindowState
from distil.db import rosters
from distil.db.windows import PeriodWindows
from distil.db.windows import ProjectWindows
from distil.model import Window

# What findings are of that are not of a project; --except accepts them, too.
RECHECKS = "rechecks"
ROSTERS = "rosters"

# Samples that come later than this are rare.
_SETTLED_AFTER = datetime.timedelta(hours=24)

_ACTIONS = {
    WindowState.EMPTY: "window recheck tells whether the telemetry service holds samples",
    WindowState.LATE: "usage recollect --late",
    WindowState.SUSPECT: "window recheck, then usage recollect",
    WindowState.REJECTED: "rejected list, then rejected retry",
    WindowState.FAILED: "mend the cause; the next run collects it",
    WindowState.MISSING: "see the reason; a collector collects it, or bill it by hand",
}


class PeriodFinding(NamedTuple):
    """Windows of a project that are not proven, or what is not known of the period.

    :param subject: id of the project, or ``rechecks`` or ``rosters``.
    :param action: what to do about it.
    :param exception: why it is accepted; None: it is not.
    """

    subject: str
    name: str
    window: Window
    windows: int
    state: str
    reason: str
    action: str
    exception: str | None = None


class ListedProject(NamedTuple):
    """A project that existed in the period, and does not any more for the collectors."""

    project: ProjectRecord
    state: str
    since: datetime.datetime


class PeriodReport(NamedTuple):
    """:param projects: number of projects that existed in the period.
    :param windows: number of windows that are proven.
    """

    projects: int
    windows: int
    findings: Sequence[PeriodFinding]
    left: Sequence[ListedProject]

    @property
    def is_proven(self) -> bool:
        return all(finding.exception is not None for finding in self.findings)


def findings(engine: sa.Engine, period: Window, exceptions: Mapping[str, str]) -> Sequence[PeriodFinding]:
    """What keeps a period from being proven complete, with what is accepted.

    :param period: that is over.
    :param exceptions: why findings are accepted, by project id, ``rechecks`` or ``rosters``.
    :raises StoreError: the database failed.
    """
    return check(engine, period, exceptions).findings


def check(engine: sa.Engine, period: Window, exceptions: Mapping[str, str]) -> PeriodReport:
    """Prove a period, as far as it can be proven.

    :raises StoreError: the database failed.
    """
    found: list[PeriodFinding] = []
    left: list[ListedProject] = []
    projects = windows = 0
    unchecked = rosters.unchecked(engine, period, datetime.timedelta(0))
    for project in PeriodWindows(engine, period).iterate():
        projects += bool(project.ranges)
        problems = list(_of_project(project, unchecked))
        found += problems
        windows += sum(each.number for each in project.ranges) - sum(problem.windows for problem in problems)
        left += _left(project.project, period)
    found += _of_period(engine, period)
    accepted = [finding._replace(exception=exceptions.get(finding.subject)) for finding in found]
    return PeriodReport(projects, windows, accepted, left)


def _of_project(found: ProjectWindows, unchecked: Sequence[Window]) -> Iterator[PeriodFinding]:
    for place, windows in enumerate(found.ranges):
        is_inner = 0 < place < len(found.ranges) - 1
        if windows.state in (WindowState.COMPLETE, WindowState.UNRECORDED):
            continue
        if windows.state is WindowState.EMPTY and not (is_inner and _is_unchecked(windows, unchecked)):
            continue
        reason = windows.reason or "no samples, but before and after"
        action = _ACTIONS[windows.state]
        project = found.project
        yield PeriodFinding(
            project.id, project.name, windows.window, windows.number, windows.state.value, reason, action
        )


def _is_unchecked(windows: WindowRange, unchecked: Sequence[Window]) -> bool:
    return any(part.start < windows.window.end and windows.window.start < part.end for part in unchecked)


def _of_period(engine: sa.Engine, period: Window) -> Iterator[PeriodFinding]:
    for part in rosters.unchecked(engine, period, _SETTLED_AFTER):
        reason = "late samples were not looked for, or less than 24 hours after the end"
        yield PeriodFinding(RECHECKS, "", part, 0, "not rechecked", reason, "window recheck")
    unseen = rosters.unchecked(engine, period, _SETTLED_AFTER, only_counts=True)
    for pause in rosters.gaps(engine, period):
        if any(part.start < pause.end and pause.start < part.end for part in unseen):
            reason = "no run saw Keystone's list; a project may have been created and deleted meanwhile"
            yield PeriodFinding(ROSTERS, "", pause, 0, "no run", reason, "window recheck finds such projects")


def _left(project: ProjectRecord, period: Window) -> Iterator[ListedProject]:
    """The project, if it is disabled, gone or out of scope, and existed in the period."""
    state = project.state
    if state is not None and state.state != ProjectState.ENABLED and state.since >= period.start:
        yield ListedProject(project, state.state, state.since)
    elif state is None and project.departed is not None and project.departed >= period.start:
        yield ListedProject(project, "deleted or disabled", project.departed)
