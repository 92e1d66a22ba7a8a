# SPDX-License-Identifier: Apache-2.0
"""Reads a period of all projects."""

import datetime
from collections.abc import Iterable
from collections.abc import Sequence

from oslo_log import log

from distil import model
from distil.telemetry.gnocchi.aggregates import AggregateReader
from distil.telemetry.gnocchi.backlog import BacklogMonitor
from distil.telemetry.gnocchi.client import GnocchiClient
from distil.telemetry.gnocchi.measured import Batch
from distil.telemetry.gnocchi.measured import NumberedMeter
from distil.telemetry.gnocchi.measured import batches
from distil.telemetry.gnocchi.measured import find_measured
from distil.telemetry.gnocchi.rights import require_visible_resources
from distil.telemetry.snapshot import Snapshot
from distil.text import pluralize

LOG = log.getLogger(__name__)

_MAX_EXAMPLES = 3


class PeriodReader:
    """Reads what the samples of meters are made of.

    :param granularity: of the aggregates, in seconds.
    :param lag: after the end of a period, before its measures are posted.
    """

    def __init__(
        self,
        gnocchi: GnocchiClient,
        aggregates: AggregateReader,
        backlog: BacklogMonitor,
        granularity: int,
        lag: datetime.timedelta,
    ) -> None:
        self._gnocchi = gnocchi
        self._aggregates = aggregates
        self._backlog = backlog
        self._granularity = granularity
        self._lag = lag
        self._missing: set[int] = set()

    def read(self, meters: Sequence[NumberedMeter], period: model.Window, snapshot: Snapshot) -> None:
        """Add the series of all projects to a snapshot.

        :raises PeriodIncomplete: measures of the period are not processed yet.
        :raises TelemetryError: there is no usable answer, or no resource of other projects is visible.
        """
        require_visible_resources(self._gnocchi)
        self._backlog.look((period.end + self._lag).timestamp())
        without_project: set[str] = set()
        measured: set[int] = set()
        for batch in batches(find_measured(self._gnocchi, meters, period), self._aggregates.batch_size(period)):
            measured |= {found.numbered.number for found in batch.measured}
            without_project |= {found.resource.id for found in batch.measured if not found.resource.projects}
            without_project |= {found.id for found in batch.malformed if not found.projects}
            for malformed in batch.malformed:
                _fail(malformed.projects, f"Gnocchi's answer is malformed: {malformed.problem}", snapshot)
            self._add(batch, period, snapshot)
        if without_project:
            LOG.warning(
                "Gnocchi has %s without a project, which cannot be billed: %s",
                pluralize(len(without_project), "resource"),
                ", ".join(sorted(without_project)[:_MAX_EXAMPLES]),
            )

        self._report_missing([meter for meter in meters if meter.number not in measured], period)

    def _report_missing(self, missing: Iterable[NumberedMeter], period: model.Window) -> None:
        """Tell which entries find nothing, once for each process: the cloud may have no such resources."""
        for numbered in missing:
            if numbered.number not in self._missing:
                self._missing.add(numbered.number)
                LOG.warning(
                    "No resource of the type %s has the metric %s in %s, so nothing is billed by it as the meter %s. If"
                    " the cloud has such resources: is it the name of a metric?",
                    numbered.meter.resource_type,
                    numbered.meter.metric,
                    period,
                    numbered.meter.meter,
                )

    def _add(self, batch: Batch, period: model.Window, snapshot: Snapshot) -> None:
        self._backlog.wait({series.metric_id for series in batch.wanted})
        found = self._aggregates.read(batch.wanted, period)
        for measured in batch.measured:
            problem = measured.problem(found)
            if problem is not None:
                _fail(measured.resource.projects, problem, snapshot)
                continue
            for project_id, owned in measured.owned(found, self._granularity):
                snapshot.add(project_id, owned)


def _fail(project_ids: Iterable[str], problem: str, snapshot: Snapshot) -> None:
    for project_id in project_ids:
        snapshot.fail(project_id, problem)
