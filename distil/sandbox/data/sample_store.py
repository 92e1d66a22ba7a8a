# SPDX-License-Identifier: Apache-2.0
"""All samples, the synthetic and the hand-written ones, as questions find them."""

import heapq
import operator
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data.injected_samples import InjectedSample
from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.synthetic_samples import Series
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.query import intervals
from distil.sandbox.query.conditions import ParsedQuery

Found = tuple[int, Series | InjectedSample]


class SampleStore:
    """What the telemetry service has stored."""

    def __init__(self, usage: SyntheticSamples, hand_written: InjectedSamples) -> None:
        self._usage = usage
        self._hand_written = hand_written

    def find(self, question: ParsedQuery, order: list[tuple[str, bool]], limit: int, old: bool) -> list[str]:
        """The first ``limit`` samples in some order, as JSON.

        :param order: fields and whether each of them descends.
        :param old: as ``GET /v2/meters/NAME`` names the keys.
        """
        chosen = _first(self._found(question), order, limit)
        return [self._json(instant, one, old) for instant, one in chosen]

    def meters(self, question: ParsedQuery) -> Iterator[Series]:
        """Every pair of resource and meter."""
        return (series for series in self._series(question) if question.moments(series))

    def _found(self, question: ParsedQuery) -> Iterator[Found]:
        lifetime = self._usage.lifetime
        for series in self._series(question):
            wanted = intervals.intersection(question.moments(series), lifetime)
            for instant in series.moments(wanted):
                yield instant, series
        for sample in self._hand_written.all():
            moments = question.moments(sample)
            if sample.instant is None and moments:
                yield lifetime[0][1], sample
            elif sample.instant is not None and intervals.contains(moments, sample.instant):
                yield sample.instant, sample

    def _series(self, question: ParsedQuery) -> Iterator[Series]:
        names = question.candidates("meter")
        meters = [meter for name, meter in METERS.items() if names is None or name in names]
        for number in self._projects(question):
            project_id = ids.project_id(self._usage.seed, number)
            for meter in meters:
                if not self._hand_written.replaces(project_id, meter.name):
                    yield from self._usage.series(number, meter)

    def _projects(self, question: ParsedQuery) -> Iterable[int]:
        wanted = question.candidates("project_id")
        if wanted is None:
            return self._usage.numbers
        numbers = (ids.project_number(self._usage.seed, str(identity)) for identity in wanted)
        return sorted(number for number in numbers if number is not None)

    def _json(self, instant: int, one: Series | InjectedSample, old: bool) -> str:
        if isinstance(one, InjectedSample):
            return one.json(old)
        return one.fill(self._usage.template(one, old), instant)


def _first(found: Iterable[Found], order: list[tuple[str, bool]], limit: int) -> list[Found]:
    if len(order) == 1 and order[0][0] == "timestamp":
        pick = heapq.nlargest if order[0][1] else heapq.nsmallest
        return pick(limit, found, key=operator.itemgetter(0))
    ordered = list(found)
    for field, descends in reversed(order):
        ordered.sort(key=_sort_key(field), reverse=descends)
    return ordered[:limit]


def _sort_key(field: str) -> Callable[[Found], Any]:
    if field == "timestamp":
        return operator.itemgetter(0)
    return lambda pair: str(pair[1].value(field))
