# SPDX-License-Identifier: Apache-2.0
"""Classifies the windows of a project in a period: which are collected, and why others are not."""

import dataclasses
import datetime
import enum
import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil.model import Window

_TIME = "%Y-%m-%dT%H:%M:%SZ"


class WindowState(enum.StrEnum):
    """What is to be said of a window; the first of these that applies, from the last to the first."""

    COMPLETE = "complete"
    EMPTY = "empty"
    UNRECORDED = "unrecorded"
    REJECTED = "rejected"
    SUSPECT = "suspect"
    LATE = "late"
    FAILED = "failed"
    MISSING = "missing"


# What no bill should be written with.
GAPS = frozenset(WindowState) - {WindowState.COMPLETE, WindowState.EMPTY, WindowState.UNRECORDED}


class ProjectState(enum.StrEnum):
    """What Keystone and the collectors' scopes say of a project."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    GONE = "gone"
    OUT_OF_SCOPE = "out_of_scope"


class StateChange(NamedTuple):
    """A change of a project's state that a run has noticed.

    :param since: time of the run.
    """

    since: datetime.datetime
    state: str
    collector: str


class ProjectFailure(NamedTuple):
    """Why the last run failed to collect a project.

    :param start: of the window that failed; None if the project failed before its first window.
    """

    start: datetime.datetime | None
    since: datetime.datetime
    reason: str


class WindowRange(NamedTuple):
    """Adjoining windows of a project of which the same is to be said.

    :param window: from the start of the first to the end of the last.
    :param number: of windows; of those that were not collected, as many as there would be of the usual length.
    """

    window: Window
    number: int
    state: WindowState
    reason: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectRecord:
    """A project, as far as it is stored.

    :param start: of the first window that has been or will be collected; None: not known.
    :param last_collected: None: the project was never registered, or this is not a time.
    :param first_receipt: start of the oldest window with a receipt.
    :param has_all_receipts: whether the project was registered after the first receipt of any was written.
    :param length: of windows that are not collected.
    :param is_tracked: whether a collector has it in its scope, or collects its last usage.
    :param until: end of the last window that is collected of a departed project.
    :param states: oldest first.
    """

    id: str
    name: str = ""
    start: datetime.datetime | None = None
    last_collected: datetime.datetime | None = None
    first_receipt: datetime.datetime | None = None
    has_all_receipts: bool = False
    length: datetime.timedelta = datetime.timedelta(hours=1)
    is_tracked: bool = True
    departed: datetime.datetime | None = None
    until: datetime.datetime | None = None
    failure: ProjectFailure | None = None
    states: Sequence[StateChange] = ()

    @property
    def state(self) -> StateChange | None:
        """The newest; None if no run has stored any."""
        return self.states[-1] if self.states else None

    @property
    def is_registered(self) -> bool:
        return self.start is not None

    @property
    def has_left_scope(self) -> bool:
        """Whether no collector collects it, though it has not departed."""
        if self.state is not None and self.state.state == ProjectState.OUT_OF_SCOPE:
            return True
        return not self.is_tracked and self.departed is None


def classify(project: ProjectRecord, receipts: Iterable[WindowRange], period: Window) -> Iterator[WindowRange]:
    """All windows of a project that begin in a period, in time order.

    :param receipts: those of windows with receipts that begin in the period, in time order; merged or not.
    :param period: its end is not in the future.
    """
    return _merged(classify_each(project, receipts, period))


def classify_each(project: ProjectRecord, receipts: Iterable[WindowRange], period: Window) -> Iterator[WindowRange]:
    """As :func:`classify`, with the receipts as they are given; only windows without receipts are merged."""
    return _with_gaps(project, receipts, _expected(project, period))


def split(windows: WindowRange, length: datetime.timedelta) -> Iterator[WindowRange]:
    """The windows of a range, of which the last may be shorter.

    :param length: of those of a range of several.
    """
    parts = [windows.window] if windows.number == 1 else windows.window.split(length)
    for part in parts:
        yield windows._replace(window=part, number=1)


def _expected(project: ProjectRecord, period: Window) -> Window:
    """The part of a period in which a project should be collected; of length 0 if there is none."""
    start, end = project.start, period.end
    if start is None:
        start, end = _unregistered(project, period)
    elif project.until is not None:
        end = min(end, project.until)
    elif project.has_left_scope:
        end = min(end, project.last_collected or end)
    start = max(period.start, start)
    return Window(start, max(start, end))


def _unregistered(project: ProjectRecord, period: Window) -> tuple[datetime.datetime, datetime.datetime]:
    """From when to when a project that was never registered was enabled."""
    for change, following in itertools.zip_longest(project.states, project.states[1:]):
        if change.state == ProjectState.ENABLED:
            return _full_hour(change.since), min(period.end, following.since if following else period.end)
    return period.end, period.end


def _with_gaps(project: ProjectRecord, receipts: Iterable[WindowRange], expected: Window) -> Iterator[WindowRange]:
    time = expected.start
    for collected in receipts:
        # The window that begins before the period may reach into it.
        if collected.window.start > time:
            yield from _gap(project, Window(time, collected.window.start))
        yield collected
        time = max(time, collected.window.end)
    if time < expected.end:
        yield from _gap(project, Window(time, expected.end))


def _gap(project: ProjectRecord, gap: Window) -> Iterator[WindowRange]:
    """Windows without receipts."""
    collected = project.last_collected or gap.start
    first_receipt = project.first_receipt or collected
    unrecorded = gap.start if project.has_all_receipts else first_receipt
    for end, state, reason in (
        (min(unrecorded, collected), WindowState.UNRECORDED, "collected before there were receipts"),
        (collected, WindowState.MISSING, "collected, but its receipt was deleted"),
    ):
        part = Window(gap.start, min(gap.end, end))
        if part.start < part.end:
            yield _range(project, part, state, reason)
            gap = Window(part.end, gap.end)
    if gap.start < gap.end:
        yield from _uncollected(project, gap)


def _uncollected(project: ProjectRecord, gap: Window) -> Iterator[WindowRange]:
    failure = project.failure
    if failure is not None and failure.start is not None and gap.start <= failure.start < gap.end:
        end = min(gap.end, failure.start + project.length)
        if gap.start < failure.start:
            yield _range(project, Window(gap.start, failure.start), WindowState.MISSING, why_missing(project))
        yield _range(project, Window(failure.start, end), WindowState.FAILED, why_missing(project))
        gap = Window(end, gap.end)
    if gap.start < gap.end:
        yield _range(project, gap, WindowState.MISSING, why_missing(project))


def why_missing(project: ProjectRecord) -> str:
    """Why windows after the last collected one are not collected."""
    if project.failure is not None:
        return f"failing since {project.failure.since:{_TIME}}: {project.failure.reason}"
    if not project.is_registered:
        since = f"enabled since {project.states[0].since:{_TIME}}, " if project.states else ""
        return f"{since}but never registered"
    if project.departed is not None and not project.is_tracked:
        return f"{_departure(project)}, and not collected to the end"
    if project.departed is not None and project.until is None:
        return f"not in Keystone's list since {project.departed:{_TIME}}, which a later run has to confirm"
    if project.last_collected is None:
        return "its last_collected is not a valid time"
    departure = f"{_departure(project)}, and " if project.departed is not None else ""
    return f"{departure}behind: collected to {project.last_collected:{_TIME}}"


def _departure(project: ProjectRecord) -> str:
    state = project.state
    if state is not None and state.state in (ProjectState.DISABLED, ProjectState.GONE):
        return f"{state.state} since {state.since:{_TIME}}"
    return f"deleted or disabled since {project.departed:{_TIME}}"


def _range(project: ProjectRecord, window: Window, state: WindowState, reason: str) -> WindowRange:
    return WindowRange(window, -((window.start - window.end) // project.length), state, reason)


def _merged(ranges: Iterable[WindowRange]) -> Iterator[WindowRange]:
    """The ranges, with those that adjoin and of which the same is to be said in one."""
    last: WindowRange | None = None
    for following in ranges:
        if last is None:
            last = following
        elif (last.window.end, last.state, last.reason) == (following.window.start, following.state, following.reason):
            window = Window(last.window.start, following.window.end)
            last = last._replace(window=window, number=last.number + following.number)
        else:
            yield last
            last = following
    if last is not None:
        yield last


def _full_hour(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
