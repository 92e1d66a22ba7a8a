# SPDX-License-Identifier: Apache-2.0
"""Which windows are due."""

import dataclasses
import datetime
import itertools
from collections.abc import Iterable
from collections.abc import Iterator

from oslo_log import log

from distil import model

LOG = log.getLogger(__name__)


def floor(moment: datetime.datetime) -> datetime.datetime:
    """The full hour at or before a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The operator's part of the plan.

    :param collect_window: hours.
    :param max_windows_per_cycle: of a project in one run.
    :param max_collection_start_age: hours.
    :param collection_delay: seconds after a window's end before it may be collected.
    """

    collect_window: int = 1
    max_windows_per_cycle: int = 1
    max_collection_start_age: int = 864
    collection_delay: int = 0

    def start(
        self, project: model.Project, collected: Iterable[datetime.datetime], now: datetime.datetime
    ) -> datetime.datetime:
        """Where the collection of a project starts that has never been collected: a full hour, never after ``now``.

        It is the newest of: the time at which Keystone's ``created_on`` says the project was made; the oldest last
        collected among the projects in scope; the start age that the operator allows.
        """
        earliest = now - datetime.timedelta(hours=self.max_collection_start_age)
        newest = max(earliest, _created(project) or earliest, min(collected, default=earliest))
        return floor(min(newest, now))

    def count(self, last_collected: datetime.datetime, end: datetime.datetime) -> int:
        """How many :meth:`windows` there are."""
        return max(0, (end - last_collected) // datetime.timedelta(hours=self.collect_window))

    def due(self, last_collected: datetime.datetime, now: datetime.datetime) -> Iterator[model.Window]:
        """The windows of a project that one run collects."""
        return itertools.islice(self.windows(last_collected, self.latest_end(now)), self.max_windows_per_cycle)

    def waiting(self, last_collected: datetime.datetime, now: datetime.datetime) -> int:
        """How many windows of a project may be collected by now, in however many runs."""
        return self.count(last_collected, self.latest_end(now))

    def latest_end(self, now: datetime.datetime) -> datetime.datetime:
        """No window that ends later may be collected yet."""
        return min(floor(now), now - datetime.timedelta(seconds=self.collection_delay))

    def windows(self, last_collected: datetime.datetime, end: datetime.datetime) -> Iterator[model.Window]:
        """All whole windows from the last collected time on that end no later than ``end``, oldest first."""
        window = self.window(last_collected)
        while window.end <= end:
            yield window
            window = self.window(window.end)

    def window(self, start: datetime.datetime) -> model.Window:
        """The one that starts then."""
        return model.Window(start, start + datetime.timedelta(hours=self.collect_window))


def _created(project: model.Project) -> datetime.datetime | None:
    if project.created_on is None:
        return None
    try:
        return model.parse_time(project.created_on)
    except ValueError:
        LOG.warning("Project %s: created_on %r is no ISO 8601 time and is ignored.", project.id, project.created_on)
        return None
