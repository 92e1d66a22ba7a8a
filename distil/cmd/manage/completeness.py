# SPDX-License-Identifier: Apache-2.0
"""Tells on standard error how much of a period has been collected: a total of less than all is not the bill."""

import datetime
import logging
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.cmd.manage.period import Period
from distil.db.collected import Collected
from distil.db.collected import CollectedProject
from distil.escaping import escape_control
from distil.text import pluralize

LOG = logging.getLogger(__name__)

_MAX_LISTED = 5


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
    first = base.format_time(collected.first, period.zone) or "no window"
    LOG.info("Usage of %s is stored from %s to %s", count, first, base.format_time(newest, period.zone))
    if period.start and collected.first and period.start < collected.first:
        LOG.warning("The period begins at %s, before the stored usage", base.format_time(period.start, period.zone))
    if period.end and period.end > newest:
        LOG.warning("The period ends at %s, and is not collected to its end", base.format_time(period.end, period.zone))
    _log_short(collected.projects, period, min(newest, period.end or newest))


def _log_short(projects: Sequence[CollectedProject], period: Period, end: datetime.datetime) -> None:
    """:param end: to which a project is collected if it is not short."""
    short = [project for project in projects if project.last_collected is None or project.last_collected < end]
    ended = [project for project in short if project.has_ended]
    before = [project for project in short if not project.has_ended and _is_before(project, period)]
    behind = [project for project in short if not project.has_ended and not _is_before(project, period)]
    if not short and len(projects) > 1:
        LOG.info("All of them are collected to %s", base.format_time(end, period.zone))
    if behind:
        listed = ", ".join(_describe(project, period.zone) for project in behind[:_MAX_LISTED])
        rest = f", and {len(behind) - _MAX_LISTED} more" if len(behind) > _MAX_LISTED else ""
        LOG.warning(
            "%d of %s not collected to %s: %s%s",
            len(behind),
            pluralize(len(projects), "project"),
            base.format_time(end, period.zone),
            listed,
            rest,
        )
    if ended:
        LOG.info("%s departed and collected to the end", pluralize(len(ended), "project"))
    if before:
        LOG.info("%s collected to before the period only: deleted, or far behind", pluralize(len(before), "project"))


def _is_before(project: CollectedProject, period: Period) -> bool:
    return bool(period.start and project.last_collected and project.last_collected <= period.start)


def _describe(project: CollectedProject, zone: datetime.tzinfo) -> str:
    last = base.format_time(project.last_collected, zone)
    return f"{project.project_id} ({escape_control(project.name)}) {f'to {last}' if last else 'never'}"
