# SPDX-License-Identifier: Apache-2.0
"""Checks what Gnocchi has of a meter, and what keeps it from being read."""

import datetime
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import model
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport
from distil.telemetry.gnocchi.aggregates import AggregateReader
from distil.telemetry.gnocchi.aggregates import Series
from distil.telemetry.gnocchi.aggregates import WantedSeries
from distil.telemetry.gnocchi.client import GnocchiClient
from distil.telemetry.gnocchi.documents import documents
from distil.telemetry.gnocchi.measured import Batch
from distil.telemetry.gnocchi.measured import MeasuredResource
from distil.telemetry.gnocchi.measured import NumberedMeter
from distil.telemetry.gnocchi.measured import batches
from distil.telemetry.gnocchi.measured import find_measured
from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.gnocchi.meters import Kind
from distil.telemetry.gnocchi.revisions import COMMON_ATTRIBUTES


class _Findings(NamedTuple):
    """What was found of an entry of the meters file.

    :param example: a sample; None: there is none.
    :param kept: how long aggregates are, of what was looked at; None: nothing was.
    """

    problems: Sequence[str]
    warnings: Sequence[str] = ()
    example: Mapping[str, Any] | None = None
    kept: datetime.timedelta | None = None


class MeterCheck:
    """Checks meters.

    :param granularity: of the aggregates, in seconds.
    :param source: of samples.
    """

    def __init__(self, gnocchi: GnocchiClient, aggregates: AggregateReader, granularity: int, source: str) -> None:
        self._gnocchi = gnocchi
        self._aggregates = aggregates
        self._granularity = granularity
        self._source = source

    def report(self, meters: Sequence[NumberedMeter], start: datetime.datetime, end: datetime.datetime) -> MeterReport:
        """What there is of the entries of one meter in a period, rounded to whole aggregates.

        :raises TelemetryError: there is no usable answer.
        """
        period = model.Window(self._floor(start), self._floor(end))
        types = self._gnocchi.resource_type_attributes() if meters else {}
        findings = [self._look(numbered, types, period) for numbered in meters]
        example = next((found.example for found in findings if found.example), None)
        warnings = [warning for found in findings for warning in found.warnings]
        if meters and example is None:
            metrics = ", ".join(f"{meter.resource_type} / {meter.metric}" for _, meter in meters)
            warnings.append(f"there is nothing of {metrics} (resource type / metric) of any project")
        return MeterReport(
            MeterPresence.PRESENT if example else MeterPresence.ABSENT,
            problems=[problem for found in findings for problem in found.problems],
            sources=[self._source] if example else [],
            example=example,
            warnings=warnings,
            kept=min((found.kept for found in findings if found.kept is not None), default=None),
        )

    def _look(self, numbered: NumberedMeter, types: Mapping[str, frozenset[str]], period: model.Window) -> _Findings:
        """Look at resources until one has samples."""
        problems = list(_type_problems(numbered.meter, types))
        if problems:
            return _Findings(problems)
        warnings: list[str] = []
        timespans: set[float] = set()
        example = None
        resources = find_measured(self._gnocchi, [numbered], period)
        for batch in batches(resources, self._aggregates.batch_size(period)):
            found = self._aggregates.read(batch.wanted, period)
            problems += _problems(batch, found)
            warnings += _warnings(batch, found)
            metrics = (series.metric for series in found.values() if series.metric is not None)
            timespans |= {metric.policy.timespans[self._granularity] for metric in metrics}
            samples = (self._example(measured, found) for measured in batch.measured if not measured.problem(found))
            example = next(filter(None, samples), None)
            if example:
                break
        kept = datetime.timedelta(seconds=min(timespans)) if timespans else None
        return _Findings(problems, warnings, example, kept)

    def _example(self, measured: MeasuredResource, found: Mapping[WantedSeries, Series]) -> Mapping[str, Any] | None:
        for project_id, owned in measured.owned(found, self._granularity):
            return next(documents(owned, measured.numbered.meter, project_id, self._source), None)
        return None

    def _floor(self, time: datetime.datetime) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(time.timestamp() // self._granularity * self._granularity, datetime.UTC)


def _type_problems(meter: GnocchiMeter, types: Mapping[str, frozenset[str]]) -> Iterator[str]:
    if meter.resource_type not in types:
        yield f"Gnocchi has no resource type {meter.resource_type}, which the meters file names"
        return
    missing = meter.fields - types[meter.resource_type] - COMMON_ATTRIBUTES
    if missing:
        yield (
            f"Gnocchi's resource type {meter.resource_type} has no attribute {', '.join(sorted(missing))}, which the"
            " meters file names"
        )


def _problems(batch: Batch, found: Mapping[WantedSeries, Series]) -> Iterator[str]:
    """One sentence for all resources with a problem, which have the same as a rule, and others."""
    failed = [problem for measured in batch.measured if (problem := measured.problem(found))]
    failed += [f"Gnocchi's answer is malformed: {malformed.problem}" for malformed in batch.malformed]
    if failed:
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        yield f"the projects of a resource cannot be collected: {failed[0]}{others}"


def _warnings(batch: Batch, found: Mapping[WantedSeries, Series]) -> Iterator[str]:
    lossy = {
        metric.policy.name
        for measured in batch.measured
        if measured.numbered.meter.kind is Kind.DELTA
        and (metric := found[measured.series].metric)
        and not metric.policy.back_window
    }
    if lossy:
        yield (
            f"Gnocchi drops amounts that arrive after newer ones: the archive policy {', '.join(sorted(lossy))} has no"
            " back_window"
        )
