# SPDX-License-Identifier: Apache-2.0
"""When runs start."""

import datetime
from collections.abc import Callable

from oslo_log import log

from distil.collector.shutdown import Shutdown

LOG = log.getLogger(__name__)

# A clock that is set, or a machine that sleeps, is noticed after this many seconds.
_GLANCE = 30.0


def next_start(first: datetime.datetime, interval: datetime.timedelta, now: datetime.datetime) -> datetime.datetime:
    """The first start after ``now`` on the grid that the first start and the interval span."""
    return first + ((now - first) // interval + 1) * interval


def repeat(
    run: Callable[[], bool],
    interval: datetime.timedelta,
    stop: Shutdown,
    clock: Callable[[], datetime.datetime],
    announce: Callable[[Callable[[], datetime.datetime]], None],
    second_look: datetime.timedelta,
) -> None:
    """Run now and then at every interval after this start, however long a run takes, until stopped.

    Starts are missed, not made up for, where a run outlasts its interval. Where the first run leaves something to
    others there is another one in between: whoever has it may be the collector that died before this one.

    :param run: tells whether it left anything to others.
    :param announce: is told who to ask when the next run starts.
    :param second_look: after the first run.
    """
    first = started = clock()
    announce(lambda: next_start(first, interval, clock()))
    while not stop.requested:
        left = run()
        due = next_start(first, interval, clock())
        missed = (due - started) // interval - 1
        if missed > 0:
            LOG.warning("The run outlasted its interval of %s: %d starts were missed.", interval, missed)
        if left and started == first:
            due = min(due, clock() + second_look)
        LOG.debug("The next run starts at %s.", due.isoformat(timespec="seconds"))
        started = _sleep_until(due, first, interval, stop, clock)


def _sleep_until(
    due: datetime.datetime,
    first: datetime.datetime,
    interval: datetime.timedelta,
    stop: Shutdown,
    clock: Callable[[], datetime.datetime],
) -> datetime.datetime:
    while (remaining := (due - clock()).total_seconds()) > 0 and not stop.wait(min(remaining, _GLANCE)):
        # The clock may have been set back: nobody waits longer than an interval.
        due = min(due, next_start(first, interval, clock()))
    return due
