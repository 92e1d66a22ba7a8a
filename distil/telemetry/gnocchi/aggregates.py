# SPDX-License-Identifier: Apache-2.0
"""Reads the aggregates of metrics, of each with the aggregation that is preferred among those that it keeps.

Metrics are asked for by id, whatever their resources: each can have its own aggregation, and a series that is missing
from an answer is noticed. What a metric keeps is found out with the first answer: Gnocchi describes the metrics on
demand, and refuses a request with a metric that lacks the aggregation, which it names.
"""

import itertools
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.telemetry.gnocchi import client
from distil.telemetry.gnocchi.metrics import Metric
from distil.telemetry.gnocchi.metrics import MetricCache
from distil.telemetry.gnocchi.points import Point
from distil.telemetry.gnocchi.points import parse_points
from distil.telemetry.gnocchi.request_size import RequestSize
from distil.telemetry.http_client import StatusError

# Of one request. Gnocchi answers as many within a second or two.
_MAX_SERIES = 500

# Of one request. The answer has some 55 bytes for each.
_MAX_POINTS = 60_000

# That are looked up one by one rather than with all others of their name, also those of resources of the past.
_FEW_SERIES = 10

# Beside one for each series. Each kind of series may be refused twice: far fewer are enough.
_MAX_QUESTIONS = 200

_REQUEST = f"{client.SERVICE_TYPE} POST /v1/aggregates"


class WantedSeries(NamedTuple):
    """A series to read.

    :param aggregations: in order of preference.
    :param ended: when its resource ended, in seconds since 1970; None: it has not.
    """

    metric_id: str
    metric: str
    aggregations: tuple[str, ...]
    ended: float | None = None

    @property
    def kind(self) -> tuple[str, tuple[str, ...]]:
        """What series have in common that probably keep the same."""
        return self.metric, self.aggregations

    def __str__(self) -> str:
        return f"metric {self.metric} ({self.metric_id})"


class Series(NamedTuple):
    """The aggregates of a metric in a period, by time.

    :param metric: None if it is not known, because of the problem.
    :param problem: why the points cannot be had; None: they are all that there are.
    """

    points: Sequence[Point] = ()
    metric: Metric | None = None
    problem: str | None = None


class AggregateReader:
    """Reads aggregates. Threads share it.

    :param granularity: seconds.
    """

    def __init__(self, gnocchi: client.GnocchiClient, granularity: int, clock: Callable[[], float] = time.time) -> None:
        self._gnocchi = gnocchi
        self._granularity = granularity
        self._clock = clock
        self._metrics = MetricCache(gnocchi)
        # By kind of series, the aggregation of the metric that was looked up last.
        self._guesses: dict[tuple[str, tuple[str, ...]], str] = {}
        self._size = RequestSize(_MAX_SERIES)

    def batch_size(self, period: model.Window) -> int:
        """How many series one request may have."""
        return max(1, min(_MAX_SERIES, _MAX_POINTS * self._granularity // int(period.seconds)))

    def read(self, wanted: Iterable[WantedSeries], period: model.Window) -> Mapping[WantedSeries, Series]:
        """Read series: as many as fit into a request, as a rule.

        :raises TelemetryError: there is no usable answer.
        """
        found: dict[WantedSeries, Series] = {}
        left = list(dict.fromkeys(wanted))
        refused: frozenset[Any] = frozenset()
        for _ in range(_MAX_QUESTIONS + len(left)):
            found |= {series: Series(problem=problem) for series in left if (problem := self._problem(series, period))}
            askable = (series for series in left if series not in found)
            question = {series: self._aggregation(series) for series in itertools.islice(askable, self._size.value)}
            try:
                found |= self._ask(question, period)
                self._size.grow()
            except exceptions.TelemetryError as error:
                named = _named(error, question)
                if named:
                    found |= self._explain(error, named, question, refused)
                    refused |= {series.kind for series in named}
                else:
                    self._size.shrink(len(question), error)
            left = [series for series in left if series not in found]
            if not left:
                # A policy may be changed.
                self._metrics.forget(series.metric_id for series in found if found[series].problem)
                return found
        raise exceptions.TelemetryError(f"many answers left {left[0]} unknown", request=_REQUEST)

    def _aggregation(self, series: WantedSeries) -> str:
        metric = self._metrics.get(series.metric_id)
        if metric is None:
            return self._guesses.get(series.kind, series.aggregations[0])
        return metric.policy.choose(series.aggregations) or ""

    def _problem(self, series: WantedSeries, period: model.Window) -> str | None:
        """Why a metric cannot have what is wanted of it; None: it has, or it is not known yet."""
        metric = self._metrics.get(series.metric_id)
        if metric is None:
            return None
        now = self._clock()
        newest = now if series.ended is None else min(series.ended, now)
        problem = metric.policy.problem(series.aggregations, self._granularity, newest - period.start.timestamp())
        return problem and f"{series}, {problem}"

    def _ask(self, question: Mapping[WantedSeries, str], period: model.Window) -> Mapping[WantedSeries, Series]:
        """The series that Gnocchi answered with the aggregation that is preferred.

        :raises StatusError: Gnocchi refuses the question.
        """
        if not question:
            return {}
        is_new = any(self._metrics.get(series.metric_id) is None for series in question)
        references = [(series.metric_id, aggregation) for series, aggregation in question.items()]
        answer = self._gnocchi.aggregates(references, period, self._granularity, details=is_new)
        if is_new:
            self._metrics.learn(answer["references"])
        return dict(self._parse(answer["measures"], question, period))

    def _parse(
        self, measures: Mapping[str, Any], question: Mapping[WantedSeries, str], period: model.Window
    ) -> Iterator[tuple[WantedSeries, Series]]:
        for series, aggregation in question.items():
            metric = self._metrics.get(series.metric_id)
            if metric is None:
                raise exceptions.TelemetryError(f"{series} is not described in the answer", request=_REQUEST)
            if metric.policy.choose(series.aggregations) != aggregation or self._problem(series, period):
                continue  # known better the next time
            of_metric = measures.get(series.metric_id)
            rows = of_metric.get(aggregation) if isinstance(of_metric, dict) else None
            try:
                yield series, Series(parse_points(rows, period, self._granularity), metric)
            except ValueError as error:
                yield series, Series(problem=f"{aggregation} of {series}: {error}")

    def _explain(
        self,
        error: exceptions.TelemetryError,
        named: Sequence[WantedSeries],
        question: Mapping[WantedSeries, str],
        refused: frozenset[Any],
    ) -> Mapping[WantedSeries, Series]:
        """Look up the metrics because of which Gnocchi refuses a question.

        It names one at a time that lacks an aggregation. If those of a kind turn out to differ, all are looked up.

        :param named: these metrics.
        :param refused: the kinds of which others were looked up before.
        :returns: those that cannot be read.
        :raises TelemetryError: there is no usable answer, or it is refused for another reason.
        """
        if _cause(error).get("reason") == "Granularities are missing":
            problem = f"keeps no aggregates of {self._granularity} s ([gnocchi] granularity)"
            return {series: Series(problem=f"{series} {problem}") for series in named}
        kinds = {series.kind for series in named} & refused
        others = self._unknown(series for series in question if series.kind in kinds)
        if len(others) > _FEW_SERIES:
            for name in {series.metric for series in others}:
                ids = {series.metric_id for series in others if series.metric == name}
                self._metrics.look_up_named(name, ids)
            others = self._unknown(others)
        found = {}
        for series in dict.fromkeys((*named, *others)):
            metric = self._metrics.look_up(series.metric_id)
            aggregation = metric and metric.policy.choose(series.aggregations)
            if metric is None:
                found[series] = Series(problem=f"{series} was deleted meanwhile")
            elif series in named and aggregation == question[series]:
                raise error
            elif aggregation is not None:
                self._guesses[series.kind] = aggregation
        return found

    def _unknown(self, wanted: Iterable[WantedSeries]) -> Sequence[WantedSeries]:
        return [series for series in wanted if self._metrics.get(series.metric_id) is None]


def _cause(error: exceptions.TelemetryError) -> Mapping[str, Any]:
    document = error.document if isinstance(error, StatusError) else None
    description = document.get("description") if isinstance(document, dict) else None
    return description if isinstance(description, dict) else {}


def _named(error: exceptions.TelemetryError, question: Iterable[WantedSeries]) -> Sequence[WantedSeries]:
    """The series because of which Gnocchi refuses a question. It names metrics by id, alone or first in a list."""
    details = _cause(error).get("detail")
    if not isinstance(details, list):
        return ()
    names = [detail[0] if isinstance(detail, list) and detail else detail for detail in details]
    return [series for series in question if series.metric_id in names]
