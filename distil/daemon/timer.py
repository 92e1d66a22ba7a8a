# SPDX-License-Identifier: Apache-2.0
"""Times runs at a fixed interval."""

import datetime
from collections.abc import Callable

from oslo_log import log

from distil.collector.shutdown import Shutdown

LOG = log.getLogger(__name__)

# Within this time a clock that was set, or a machine that slept, is noticed.
_POLL_SECONDS = 30.0


class Timer:
    """Times runs: the first start is now, the others follow at every interval, regardless of how long a run takes.

    Starts that are missed because a run takes longer than the interval are not made up for.

    :param clock: the time, aware and in UTC.
    :param recheck_after: if the first run leaves projects to other collectors, the second one starts this long after
        it: the owner may be a collector that died before this one started.
    """

    def __init__(
        self,
        interval: datetime.timedelta,
        shutdown: Shutdown,
        clock: Callable[[], datetime.datetime],
        recheck_after: datetime.timedelta,
    ) -> None:
        self._interval = interval
        self._shutdown = shutdown
        self._clock = clock
        self._recheck_after = recheck_after
        self._first = self._started = clock()

    def next_start(self) -> datetime.datetime:
        """The next start, which is the first start plus a multiple of the interval."""
        elapsed_intervals = (self._clock() - self._first) // self._interval
        return self._first + (elapsed_intervals + 1) * self._interval

    def wait(self, *, has_skipped_projects: bool) -> None:
        """Sleep until the next start, or until a shutdown is requested.

        :param has_skipped_projects: whether the run that has ended left projects to other collectors.
        """
        due = self.next_start()
        missed = (due - self._started) // self._interval - 1
        if missed > 0:
            LOG.warning("The run exceeded its interval of %s; %d starts were skipped.", self._interval, missed)
        if has_skipped_projects and self._started == self._first:
            due = min(due, self._clock() + self._recheck_after)
        LOG.debug("The next run starts at %s.", due.isoformat(timespec="seconds"))
        self._started = self._sleep_until(due)

    def _sleep_until(self, due: datetime.datetime) -> datetime.datetime:
        while (seconds := (due - self._clock()).total_seconds()) > 0 and not self._shutdown.wait(
            min(seconds, _POLL_SECONDS)
        ):
            # If the clock was set back, wait for an interval at most.
            due = min(due, self.next_start())
        return due
