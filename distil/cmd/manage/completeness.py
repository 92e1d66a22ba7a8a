# SPDX-License-Identifier: Apache-2.0
"""Tells on standard error how much of a period has been collected: a total of less than all is not the bill."""

import datetime
import logging
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.cmd.manage.period_options import Period
from distil.db.collected import Collected
from distil.db.collected import CollectedProject
from distil.escaping import escape_control
from distil.text import pluralize

LOG = logging.getLogger(__name__)

_MAX_LISTED = 5


def collectable_end(end: datetime.datetime | None) -> datetime.datetime:
    """The end of a period, or of the last whole hour, if that is earlier: later windows cannot be collected yet."""
    now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
    return min(end or now, now)


def is_complete(projects: Sequence[CollectedProject], end: datetime.datetime, start: datetime.datetime | None) -> bool:
    """Whether all projects are collected to the end of a period, as far as any collector will.

    One that is in no scope is not collected any more: it is incomplete only if that ended within the period.
    """
    current = [project for project in projects if not project.has_ended]
    reach = [project for project in current if project.last_collected and project.last_collected >= end]
    left = [project for project in current if not project.is_in_scope and _is_before(project, start)]
    return len(projects) > len(left) and {*reach, *left} == set(current)


def log(collected: Collected, period: Period) -> None:
    """Log the first and last stored window of the projects, and warn where the period reaches beyond them."""
    if not collected.projects:
        LOG.info("No project has been collected")
        return
    times = [project.last_collected for project in collected.projects if project.last_collected]
    count = pluralize(len(collected.projects), "project")
    if not times:
        LOG.warning("%s, of which nothing has been collected", count.capitalize())
        return
    newest = max(times)
    first, last = base.format_time(collected.first, period.zone), base.format_time(newest, period.zone)
    if first:
        LOG.info("Usage of %s is stored from %s to %s", count, first, last)
    else:
        LOG.info("No usage of %s is stored", count)
    if period.start and collected.first and period.start < collected.first:
        LOG.warning("The period begins at %s, before the stored usage", base.format_time(period.start, period.zone))
    if period.end and period.end > newest and not all(project.has_ended for project in collected.projects):
        LOG.warning("The period ends at %s, and is not collected to its end", base.format_time(period.end, period.zone))
    _log_short(collected.projects, period, min(newest, period.end or newest))


def _log_short(projects: Sequence[CollectedProject], period: Period, end: datetime.datetime) -> None:
    """:param end: to which a project is collected if it is not short."""
    short = [project for project in projects if project.last_collected is None or project.last_collected < end]
    ended = [project for project in short if project.has_ended]
    before = [project for project in short if not project.has_ended and _is_before(project, period.start)]
    behind = [project for project in short if not project.has_ended and not _is_before(project, period.start)]
    if not short:
        subject = "All of them are" if len(projects) > 1 else "It is"
        LOG.info("%s collected to %s", subject, base.format_time(end, period.zone))
    if behind:
        _warn(behind, len(projects), period, end)
    if ended:
        LOG.info("%s departed and collected to the end", pluralize(len(ended), "project"))
    if before:
        LOG.info("%s collected to before the period only: deleted, or far behind", pluralize(len(before), "project"))


def _warn(behind: Sequence[CollectedProject], number: int, period: Period, end: datetime.datetime) -> None:
    listed = ", ".join(_describe(project, period.zone) for project in behind[:_MAX_LISTED])
    LOG.warning(
        "%d of %s not collected to %s: %s%s",
        len(behind),
        pluralize(number, "project"),
        base.format_time(end, period.zone),
        listed,
        f", and {len(behind) - _MAX_LISTED} more" if len(behind) > _MAX_LISTED else "",
    )


def _is_before(project: CollectedProject, start: datetime.datetime | None) -> bool:
    return bool(start and project.last_collected and project.last_collected <= start)


def _describe(project: CollectedProject, zone: datetime.tzinfo) -> str:
    last = base.format_time(project.last_collected, zone)
    return f"{project.project_id} ({escape_control(project.name)}) {f'to {last}' if last else 'never'}"
