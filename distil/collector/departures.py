# SPDX-License-Identifier: Apache-2.0
"""Projects that Keystone no longer lists as enabled: which of them have really departed, and are still collected."""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

from oslo_log import log

from distil.collector.plan import Plan
from distil.db.tracked_projects import TrackedProject
from distil.db.tracked_projects import TrackedProjects
from distil.text import pluralize

LOG = log.getLogger(__name__)

# If more than this part of the projects, and more than this number or all, is missing at once, Keystone's list may be
# wrong: a later run has to agree. The processes of a collector begin their runs together, so they must not confirm one
# another.
_MAX_MISSING_FRACTION = 0.2
_MAX_MISSING = 2
_CONFIRMATION_AGE = datetime.timedelta(minutes=10)

_MAX_NAMES = 10


class Departures(NamedTuple):
    """What became of the projects in scope that Keystone no longer lists.

    :param departing: those that are collected until their ``collect_until``.
    :param departed: all that have departed with certainty, also those whose collection has just ended.
    :param missing: number of those that are not collected until a later run confirms that they have departed.
    """

    departing: Sequence[TrackedProject]
    departed: Sequence[TrackedProject]
    missing: int


class DepartedProjects:
    """Finds the departed projects of a collector's scope, and stores what it has found.

    :param collector: its name.
    """

    def __init__(self, collector: str, plan: Plan, tracked: TrackedProjects) -> None:
        self._collector = collector
        self._plan = plan
        self._tracked = tracked

    def find(self, absent: Iterable[TrackedProject], listed: int, now: datetime.datetime) -> Departures:
        """Find out which projects have departed, and which of them are still collected.

        :param absent: the tracked projects in scope that Keystone does not list.
        :param listed: number of the tracked projects in scope that it does list.
        :raises StoreError: the database failed.
        """
        absent = list(absent)
        missing = [project for project in absent if project.collect_until is None]
        is_many = len(missing) > _MAX_MISSING or not listed
        is_drop = is_many and len(missing) > _MAX_MISSING_FRACTION * (listed + len(missing))
        doubtful = [project for project in missing if is_drop and not _is_confirmed(project, now)]
        self._doubt(doubtful, listed, now)
        doubtful_ids = {project.id for project in doubtful}
        certain = [project for project in missing if project.id not in doubtful_ids]
        departed = [project for project in absent if project.collect_until is not None]
        departed += self._depart(certain, now)
        return Departures(self._unfinished(departed), departed, len(doubtful))

    def _doubt(self, projects: Sequence[TrackedProject], listed: int, now: datetime.datetime) -> None:
        if projects:
            self._tracked.depart([project.id for project in projects], now, None)
            LOG.error(
                "%d of %d projects of collector %s are missing in Keystone's list at once, and are not collected in "
                "this run. If they are still missing in a run at least ten minutes later, they have departed.",
                len(projects),
                listed + len(projects),
                self._collector,
            )

    def _depart(self, projects: Iterable[TrackedProject], now: datetime.datetime) -> Sequence[TrackedProject]:
        """Store until when these projects are collected."""
        by_end = defaultdict(list)
        for project in projects:
            seen = project.departed or now
            end = self._plan.departed_until(self._plan.window_at(project.last_collected, seen).end)
            by_end[end].append(dataclasses.replace(project, departed=seen, collect_until=end))
        departed = [project for group in by_end.values() for project in group]
        # Other processes of the collector find the same projects; one of them logs it.
        if sum(self._tracked.depart([project.id for project in group], now, end) for end, group in by_end.items()):
            self._log("left Keystone's list; collecting the last usage", departed)
        return departed

    def _unfinished(self, departed: Sequence[TrackedProject]) -> Sequence[TrackedProject]:
        """The projects whose end is not reached yet; the others are not tracked any more."""
        finished = [project for project in departed if self._is_finished(project)]
        if self._tracked.finish([project.id for project in finished]) and self._plan.departed_windows:
            self._log("departed and collected to the end", finished)
        ids = {project.id for project in finished}
        return [project for project in departed if project.id not in ids]

    def _is_finished(self, project: TrackedProject) -> bool:
        if not self._plan.departed_windows:
            return True
        end, last_collected = project.collect_until, project.last_collected
        return end is not None and last_collected is not None and last_collected >= end

    def _log(self, event: str, projects: Sequence[TrackedProject]) -> None:
        names = [f"{project.id} ({project.name})" for project in projects[:_MAX_NAMES]]
        more = ["..."] if len(projects) > _MAX_NAMES else []
        number = pluralize(len(projects), "project")
        LOG.info("Collector %s: %s %s: %s", self._collector, number, event, ", ".join(names + more))


def _is_confirmed(project: TrackedProject, now: datetime.datetime) -> bool:
    """Whether an earlier run has missed the project already."""
    return project.departed is not None and now - project.departed >= _CONFIRMATION_AGE
