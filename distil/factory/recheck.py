# SPDX-License-Identifier: Apache-2.0
"""Builds what compares collected windows with the telemetry service."""

import datetime
from collections.abc import Callable
from collections.abc import Sequence

import sqlalchemy as sa

from distil import exceptions
from distil.cloud.keystone import KeystoneProjects
from distil.collector.comparison import Comparison
from distil.collector.comparison import RecordedMeters
from distil.collector.count_comparison import CountComparison
from distil.collector.digest_comparison import DigestComparison
from distil.collector.origin import Origin
from distil.collector.recheck import Rechecker
from distil.collector.scope import Scope
from distil.collector.shutdown import Shutdown
from distil.collector.strangers import Strangers
from distil.db.collected_windows import CollectedWindows
from distil.db.documents import Documents
from distil.telemetry.driver import TelemetryDriver

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def build_rechecker(
    *,
    engine: sa.Engine,
    telemetry: TelemetryDriver,
    origin: Origin,
    meters: Sequence[str],
    keystone: KeystoneProjects,
    scope: Scope,
    projects: Sequence[str] = (),
    by_digest: bool = False,
    may_delete: bool = False,
    shutdown: Shutdown,
    clock: Callable[[], datetime.datetime],
) -> Rechecker:
    """The rechecker of one telemetry service. It compares numbers of samples if the driver can count them.

    :param meters: of the current rules.
    :param projects: ids, only of which windows are compared; without any, all, and those that no run has seen.
    :raises TelemetryError: the region of the service is not known.
    """
    by = origin.resolve()
    if by is None:
        raise exceptions.TelemetryError("the region of the telemetry service is not known; set region_name")
    windows, recorded_meters = CollectedWindows(engine, by.telemetry, projects), RecordedMeters(Documents(engine))
    comparison: Comparison
    if by_digest or not _can_count(telemetry):
        comparison = DigestComparison(
            telemetry=telemetry, windows=windows, recorded_meters=recorded_meters, shutdown=shutdown
        )
    else:
        comparison = CountComparison(
            telemetry=telemetry,
            name=by.telemetry,
            windows=windows,
            recorded_meters=recorded_meters,
            meters=meters,
            strangers=None if projects else Strangers(keystone, scope, windows),
            shutdown=shutdown,
        )
    return Rechecker(
        engine=engine,
        comparison=comparison,
        windows=windows,
        collector=by.collector,
        telemetry=by.telemetry,
        projects=projects,
        may_delete=may_delete,
        clock=clock,
    )


def _can_count(telemetry: TelemetryDriver) -> bool:
    hour = datetime.timedelta(hours=1)
    return telemetry.counts((), _EPOCH, _EPOCH + hour, hour) is not None
