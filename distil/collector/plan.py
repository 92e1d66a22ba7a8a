# SPDX-License-Identifier: Apache-2.0
"""Plans which windows of a project are due."""

import dataclasses
import datetime
from collections.abc import Iterable

from oslo_log import log

from distil import model
from distil.collector.due import DueProject
from distil.collector.due import WindowRange

LOG = log.getLogger(__name__)


def floor(moment: datetime.datetime) -> datetime.datetime:
    """The full hour at or before a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


@dataclasses.dataclass(frozen=True)
class Plan:
    """An operator's settings for what is due.

    :param collect_window: hours.
    :param max_windows_per_cycle: windows of a project in one run, beside those that are empty.
    :param max_collection_start_age: hours.
    :param collection_delay: seconds after a window's end before it may be collected.
    :param departed_windows: empty windows after which the collection of a departed project ends; 0 collects none.
    """

    collect_window: int = 1
    max_windows_per_cycle: int = 1
    max_collection_start_age: int = 864
    collection_delay: int = 0
    departed_windows: int = 2

    def start(
        self, project: model.Project, last_collected: Iterable[datetime.datetime], now: datetime.datetime
    ) -> datetime.datetime:
        """Where the collection of a new project starts: a full hour, never after ``now``.

        It is when the project was created, by Keystone's ``created_on``, also if it was enabled later. Without it, it
        is the oldest last collected of other projects in scope. It is not before the maximum start age.

        :param last_collected: of the other projects.
        """
        earliest = now - datetime.timedelta(hours=self.max_collection_start_age)
        start = _created(project) or min(last_collected, default=earliest)
        return floor(min(max(earliest, start), now))

    def due(
        self,
        project: model.Project,
        last_collected: datetime.datetime,
        now: datetime.datetime,
        end: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> DueProject:
        """The windows of a project that may be collected by now, and how many of them one run collects.

        :param end: up to which a run collects all windows.
        :param until: up to which the project is collected at all.
        """
        windows = self.windows(last_collected, self.latest_end(now, end, until))
        return DueProject(project, windows, len(windows) if end else self.max_windows_per_cycle)

    def count_due(
        self, last_collected: datetime.datetime, now: datetime.datetime, *ends: datetime.datetime | None
    ) -> int:
        """Number of windows of a project that may be collected by now, in however many runs.

        :param ends: none of the windows ends after any of these.
        """
        return len(self.windows(last_collected, self.latest_end(now, *ends)))

    def latest_end(self, now: datetime.datetime, *ends: datetime.datetime | None) -> datetime.datetime:
        """No window that ends later may be collected yet."""
        return min(floor(now), now - datetime.timedelta(seconds=self.collection_delay), *(end for end in ends if end))

    def windows(self, last_collected: datetime.datetime, end: datetime.datetime) -> WindowRange:
        """All whole windows between last collected and ``end``."""
        length = datetime.timedelta(hours=self.collect_window)
        return WindowRange(last_collected, length, max(0, (end - last_collected) // length))

    def window(self, start: datetime.datetime) -> model.Window:
        """The window that starts then."""
        return model.Window(start, start + datetime.timedelta(hours=self.collect_window))

    def window_at(self, last_collected: datetime.datetime | None, moment: datetime.datetime) -> model.Window:
        """The project's window in which a moment after last collected is."""
        start = floor(moment) if last_collected is None else last_collected
        length = datetime.timedelta(hours=self.collect_window)
        return self.window(start + max(0, (moment - start) // length) * length)

    def departed_until(self, end: datetime.datetime) -> datetime.datetime:
        """Until when a departed project is collected, if all windows after this end are empty."""
        return end + datetime.timedelta(hours=self.departed_windows * self.collect_window)


def _created(project: model.Project) -> datetime.datetime | None:
    if project.created_on is None:
        return None
    try:
        return model.parse_time(project.created_on)
    except ValueError:
        LOG.warning("Project %s: created_on %r is not a valid ISO 8601 time; ignored.", project.id, project.created_on)
        return None
