# SPDX-License-Identifier: Apache-2.0
"""Reads a period of all projects."""

import datetime
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from oslo_log import log

from distil import exceptions
from distil import model
from distil.telemetry.gnocchi.aggregates import AggregateReader
from distil.telemetry.gnocchi.backlog import BacklogMonitor
from distil.telemetry.gnocchi.client import GnocchiClient
from distil.telemetry.gnocchi.measured import MeasuredResource
from distil.telemetry.gnocchi.measured import NumberedMeter
from distil.telemetry.gnocchi.measured import find_measured
from distil.telemetry.gnocchi.revisions import MalformedResource
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

    def read(self, meters: Sequence[NumberedMeter], period: model.Window, snapshot: Snapshot) -> None:
        """Add the series of all projects to a snapshot.

        :raises PeriodIncomplete: measures of the period are not processed yet.
        :raises TelemetryError: there is no usable answer, or no resource of other projects is visible.
        """
        require_visible_resources(self._gnocchi)
        self._backlog.look((period.end + self._lag).timestamp())
        orphans: set[str] = set()
        for batch in _batches(find_measured(self._gnocchi, meters, period), self._aggregates.batch_size(period)):
            orphans |= self._fail_malformed(batch, snapshot)
            self._add(
                [found for found in batch if isinstance(found, MeasuredResource) and found.resource.projects],
                period,
                snapshot,
            )
        if orphans:
            LOG.warning(
                "Gnocchi has %s without a project, which cannot be billed: %s",
                pluralize(len(orphans), "resource"),
                ", ".join(sorted(orphans)[:_MAX_EXAMPLES]),
            )

    def _fail_malformed(self, batch: Iterable[MeasuredResource | MalformedResource], snapshot: Snapshot) -> set[str]:
        """Have the projects of malformed resources fail.

        :returns: the ids of the resources that belong to no project.
        """
        orphans = set()
        for found in batch:
            resource = found.resource if isinstance(found, MeasuredResource) else found
            if not resource.projects:
                orphans.add(resource.id)
            if isinstance(found, MalformedResource):
                for project_id in found.projects:
                    snapshot.fail(project_id, f"Gnocchi's answer about {found.id} is malformed: {found.problem}")
        return orphans

    def _add(self, batch: Sequence[MeasuredResource], period: model.Window, snapshot: Snapshot) -> None:
        wanted = [series for measured in batch for series in measured.wanted]
        self._backlog.wait({series.metric_id for series in wanted})
        found = self._aggregates.read(wanted, period)
        for measured in batch:
            try:
                for project_id, owned in measured.owned(found, self._granularity):
                    snapshot.add(project_id, owned)
            except exceptions.TelemetryError as error:
                for project_id in measured.resource.projects:
                    snapshot.fail(project_id, str(error))


def _batches(
    resources: Iterable[MeasuredResource | MalformedResource], size: int
) -> Iterator[list[MeasuredResource | MalformedResource]]:
    """Parts that want as many series as ``size``, or one resource more."""
    batch: list[MeasuredResource | MalformedResource] = []
    series = 0
    for resource in resources:
        wanted = len(resource.wanted) if isinstance(resource, MeasuredResource) else 0
        if series + wanted > size and batch:
            yield batch
            batch, series = [], 0
        batch.append(resource)
        series += wanted
    if batch:
        yield batch
