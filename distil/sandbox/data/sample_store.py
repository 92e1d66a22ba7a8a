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

_Match = tuple[int, Series | InjectedSample]


class SampleStore:
    """What the telemetry service has stored."""

    def __init__(self, synthetic_samples: SyntheticSamples, injected_samples: InjectedSamples) -> None:
        self._usage = synthetic_samples
        self._injected_samples = injected_samples

    def find(self, query: ParsedQuery, order: list[tuple[str, bool]], limit: int, legacy: bool) -> list[str]:
        """The first ``limit`` samples in some order, as JSON.

        :param order: fields and whether each of them descends.
        :param old: as ``GET /v2/meters/NAME`` names the keys.
        """
        chosen = _first(self._found(query), order, limit)
        return [self._json(instant, one, legacy) for instant, one in chosen]

    def series(self, query: ParsedQuery) -> Iterator[Series]:
        """Every pair of resource and meter."""
        return (series for series in self._series(query) if query.matching_times(series))

    def _found(self, question: ParsedQuery) -> Iterator[_Match]:
        lifetime = self._usage.period
        for series in self._series(question):
            wanted = intervals.intersection(question.matching_times(series), lifetime)
            for instant in series.sample_times(wanted):
                yield instant, series
        for sample in self._injected_samples.all():
            moments = question.matching_times(sample)
            if sample.time_us is None and moments:
                yield lifetime[0][1], sample
            elif sample.time_us is not None and intervals.contains(moments, sample.time_us):
                yield sample.time_us, sample

    def _series(self, question: ParsedQuery) -> Iterator[Series]:
        names = question.possible_values("meter")
        meters = [meter for name, meter in METERS.items() if names is None or name in names]
        for number in self._projects(question):
            project_id = ids.project_id(self._usage.seed, number)
            for meter in meters:
                if not self._injected_samples.replaces(project_id, meter.name):
                    yield from self._usage.series(number, meter)

    def _projects(self, question: ParsedQuery) -> Iterable[int]:
        wanted = question.possible_values("project_id")
        if wanted is None:
            return self._usage.project_numbers
        numbers = (ids.project_number(self._usage.seed, str(identity)) for identity in wanted)
        return sorted(number for number in numbers if number is not None)

    def _json(self, instant: int, one: Series | InjectedSample, old: bool) -> str:
        if isinstance(one, InjectedSample):
            return one.as_json(old)
        return one.fill_template(self._usage.json_template(one, old), instant)


def _first(found: Iterable[_Match], order: list[tuple[str, bool]], limit: int) -> list[_Match]:
    if len(order) == 1 and order[0][0] == "timestamp":
        pick = heapq.nlargest if order[0][1] else heapq.nsmallest
        return pick(limit, found, key=operator.itemgetter(0))
    ordered = list(found)
    for field, descends in reversed(order):
        ordered.sort(key=_sort_key(field), reverse=descends)
    return ordered[:limit]


def _sort_key(field: str) -> Callable[[_Match], Any]:
    if field == "timestamp":
        return operator.itemgetter(0)
    return lambda pair: str(pair[1].field_value(field))
