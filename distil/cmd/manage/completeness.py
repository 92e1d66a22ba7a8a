# SPDX-License-Identifier: Apache-2.0
"""Tells on standard error how much of a period has been collected: a total of less than all is not the bill."""

import datetime
import logging
from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

from distil.cmd.manage import base
from distil.cmd.manage.period_options import Period
from distil.completeness import GAPS
from distil.completeness import WindowState
from distil.db.collected import Collected
from distil.db.windows import ProjectWindows
from distil.model import Window
from distil.text import pluralize

LOG = logging.getLogger(__name__)

_BEGINNING = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class WindowCount(NamedTuple):
    """The windows of a period.

    :param states: number of windows by state.
    :param lacking: number of projects with windows that are not collected as they should be.
    :param projects: number of projects that are in a collector's scope, have departed, or have windows in the period.
    """

    states: Mapping[WindowState, int]
    lacking: int
    projects: int

    @property
    def is_complete(self) -> bool:
        return self.projects > 0 and not self.lacking


def collectable_end(end: datetime.datetime | None) -> datetime.datetime:
    """The end of a period, or of the last whole hour, if that is earlier: later windows cannot be collected yet."""
    now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
    return min(end or now, now)


def counted_part(period: Period, collected: Collected) -> Window:
    """The part of a period whose windows should be collected. It may be of length 0.

    A period without an end is that of what is collected.
    """
    start = period.start or _BEGINNING
    end = collectable_end(period.end or collected.newest or start)
    return Window(start, max(start, end))


def count(projects: Iterable[ProjectWindows]) -> WindowCount:
    """Counts the windows of projects."""
    states: Counter[WindowState] = Counter()
    lacking = number = 0
    for project, ranges in projects:
        for each in ranges:
            states[each.state] += each.number
        lacking += any(each.state in GAPS for each in ranges)
        number += bool(ranges) or not project.has_left_scope
    return WindowCount(states, lacking, number)


def log_extent(collected: Collected, period: Period) -> None:
    """Log from when to when usage is stored, and warn where the period reaches beyond what can be stored."""
    number = pluralize(collected.projects, "project")
    first, newest = (base.format_time(time, period.zone) for time in (collected.first, collected.newest))
    if not collected.projects:
        LOG.info("No project has been collected")
    elif not newest:
        LOG.warning("%s, of which nothing has been collected", number.capitalize())
    elif first:
        LOG.info("Usage of %s is stored from %s to %s", number, first, newest)
    else:
        LOG.info("No usage of %s is stored", number)
    if period.start and collected.first and period.start < collected.first:
        LOG.warning("The period begins at %s, before the stored usage", base.format_time(period.start, period.zone))
    if period.end and period.end > collectable_end(period.end):
        LOG.warning("The period is not over: it ends at %s", base.format_time(period.end, period.zone))


def log_windows(windows: WindowCount) -> None:
    """Log how many windows are in which state, and warn if a project lacks some."""
    counts = ", ".join(f"{windows.states[state]} {state.value}" for state in WindowState if windows.states[state])
    if windows.lacking:
        projects = pluralize(windows.lacking, "project")
        LOG.warning("Windows: %s; see window gaps for what is wrong with %s", counts, projects)
    else:
        LOG.info("Windows: %s", counts or "none")
