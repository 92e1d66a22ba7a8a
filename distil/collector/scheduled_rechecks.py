# SPDX-License-Identifier: Apache-2.0
"""Rechecks within the runs of a collector, each window at given ages."""

import datetime
from collections.abc import Callable
from collections.abc import Sequence

import sqlalchemy as sa
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.comparison import Finding
from distil.collector.plan import floor
from distil.collector.recheck import ComparedPeriod
from distil.collector.recheck import Rechecker
from distil.coordination.leases import Claim
from distil.coordination.leases import Partitioner
from distil.db import rechecks
from distil.monitoring.run import RunMonitor
from distil.text import pluralize

LOG = log.getLogger(__name__)

# What other collectors see while one of them rechecks, in place of a project.
_CLAIM = "recheck"

# How far back rechecks are made up for that no run has made, because there were none.
_MAX_MISSED = datetime.timedelta(days=7)

_HOUR = datetime.timedelta(hours=1)


class ScheduledRechecks:
    """Compares collected windows with what the telemetry service holds, once they are so old.

    :param ages: of a window since its end.
    :param window: length of the windows.
    :param max_period: that is rechecked at once.
    :param build: makes the rechecker, which may ask for the catalog.
    :param clock: the time, aware and in UTC.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        ages: Sequence[datetime.timedelta],
        window: datetime.timedelta,
        max_period: datetime.timedelta,
        build: Callable[[], Rechecker],
        partitioner: Partitioner,
        monitor: RunMonitor,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._engine = engine
        self._ages = ages
        self._window = window
        self._max_period = max_period
        self._build = build
        self._partitioner = partitioner
        self._monitor = monitor
        self._clock = clock

    def run(self, until: datetime.datetime) -> None:
        """Recheck what is due. A failure is logged: the next run tries again.

        :param until: nothing is begun after this time.
        :raises ShutdownRequested: what was found stays stored.
        """
        try:
            rechecker = self._build()
            with self._partitioner.claim(_CLAIM, self._clock()) as claim:
                if claim is Claim.HELD:
                    for age in sorted(self._ages):
                        self._recheck(rechecker, age, until)
        except exceptions.ShutdownRequested:
            raise
        except exceptions.DistilError as error:
            LOG.warning("Collected windows could not be rechecked, retrying after the next run: %s", error)

    def _recheck(self, rechecker: Rechecker, age: datetime.timedelta, until: datetime.datetime) -> None:
        # A window that begins within the last hour of the period ends at this age, or up to an hour later.
        end = floor(self._clock() - age - self._window) + _HOUR
        period = model.Window(end - _MAX_MISSED, end)
        # The newest first: an old one may fail for ever, as that which the service no longer has.
        while self._clock() < until:
            unchecked = rechecks.last_unchecked(self._engine, rechecker.telemetry, period, age)
            if unchecked is None:
                return
            self._partitioner.renew(_CLAIM)
            start = max(unchecked.start, unchecked.end - self._max_period)
            found = list(rechecker.run(model.Window(start, unchecked.end)))
            for compared in found:
                self._report(compared)
            not_held = sum(compared.count(Finding.NOT_HELD) for compared in found)
            if not_held:
                LOG.warning(
                    "%s not rechecked, retrying after the next run: telemetry holds no samples of them, of any project."
                    " Is its retention shorter than %s?",
                    pluralize(not_held, "window"),
                    age,
                )
                return

    def _report(self, compared: ComparedPeriod) -> None:
        LOG.debug("Rechecked %s: %s.", compared.period, pluralize(compared.windows, "window"))
        self._monitor.found_late(compared.new)
        if compared.new:
            first = compared.late[0]
            LOG.warning(
                "%s found late in %s: telemetry holds other samples than were collected, such as of project %s, window"
                " %s. distil-manage window recheck lists them, and usage recollect --late bills them.",
                pluralize(compared.new, "window"),
                compared.period,
                first.project_id,
                first.window,
            )
