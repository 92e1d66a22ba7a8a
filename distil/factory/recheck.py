# SPDX-License-Identifier: Apache-2.0
"""Builds what compares collected windows with the telemetry service."""

import datetime
from collections.abc import Callable
from collections.abc import Sequence

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.collector.comparison import Comparison
from distil.collector.comparison import RecordedMeters
from distil.collector.count_comparison import CountComparison
from distil.collector.digest_comparison import DigestComparison
from distil.collector.origin import Origin
from distil.collector.recheck import Rechecker
from distil.collector.scheduled_rechecks import ScheduledRechecks
from distil.collector.scope import Scope
from distil.collector.shutdown import Shutdown
from distil.collector.strangers import Strangers
from distil.conf.collector import CollectorOptions
from distil.coordination.leases import Partitioner
from distil.db.collected_windows import CollectedWindows
from distil.db.documents import Documents
from distil.monitoring.run import RunMonitor
from distil.telemetry.driver import TelemetryDriver

_DAY = datetime.timedelta(days=1)
_HOUR = datetime.timedelta(hours=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class RecheckerFactory:
    """Builds rechecks for one telemetry service.

    :param meters: of the current rules.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        telemetry: TelemetryDriver,
        origin: Origin,
        meters: Sequence[str],
        keystone: KeystoneProjects,
        scope: Scope,
        shutdown: Shutdown,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._engine = engine
        self._telemetry = telemetry
        self._origin = origin
        self._meters = meters
        self._keystone = keystone
        self._scope = scope
        self._shutdown = shutdown
        self._clock = clock

    def build(self, projects: Sequence[str] = (), *, by_digest: bool = False, may_delete: bool = False) -> Rechecker:
        """A rechecker. It compares numbers of samples if the driver can count them.

        :param projects: ids, only of which windows are compared; without any, all, and those that no run has seen.
        :param may_delete: see :class:`Rechecker`.
        :raises TelemetryError: the region of the service is not known.
        """
        by = self._origin.resolve()
        if by is None:
            raise exceptions.TelemetryError("the region of the telemetry service is not known; set region_name")
        windows = CollectedWindows(self._engine, by.telemetry, projects)
        return Rechecker(
            engine=self._engine,
            comparison=self._by_digest(windows) if by_digest or not self._can_count() else self._by_count(windows, by),
            windows=windows,
            collector=by.collector,
            telemetry=by.telemetry,
            projects=projects,
            may_delete=may_delete,
            clock=self._clock,
        )

    def scheduled(
        self, options: CollectorOptions, partitioner: Partitioner, monitor: RunMonitor
    ) -> ScheduledRechecks | None:
        """The rechecks that are made within runs; None without any."""
        if not options.recheck_after:
            return None
        return ScheduledRechecks(
            engine=self._engine,
            ages=[datetime.timedelta(hours=hours) for hours in options.recheck_after],
            window=datetime.timedelta(hours=options.collect_window),
            # Else a period is asked for as if it were collected.
            max_period=_DAY if self._can_count() and not self._telemetry.reads_all_projects else _HOUR,
            build=self.build,
            partitioner=partitioner,
            monitor=monitor,
            clock=self._clock,
        )

    def _by_count(self, windows: CollectedWindows, by: model.CollectedBy) -> Comparison:
        return CountComparison(
            telemetry=self._telemetry,
            name=by.telemetry,
            windows=windows,
            recorded_meters=RecordedMeters(Documents(self._engine)),
            meters=self._meters,
            strangers=None if windows.projects else Strangers(self._keystone, self._scope, windows),
            shutdown=self._shutdown,
        )

    def _by_digest(self, windows: CollectedWindows) -> Comparison:
        return DigestComparison(
            telemetry=self._telemetry,
            windows=windows,
            recorded_meters=RecordedMeters(Documents(self._engine)),
            shutdown=self._shutdown,
        )

    def _can_count(self) -> bool:
        return self._telemetry.counts((), _EPOCH, _EPOCH + _HOUR, _HOUR) is not None
