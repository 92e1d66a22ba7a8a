# SPDX-License-Identifier: Apache-2.0
"""All samples, synthetic and injected, as queries find them."""

import heapq
import itertools
import operator
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data.injected_samples import InjectedSample
from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.synthetic_samples import Series
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.query.conditions import ParsedQuery
from distil.sandbox.query.parser import SortKey

# The time in microseconds, and what makes the sample's document. A tuple, for a query matches up to millions of them.
Match = tuple[int, Series | InjectedSample]


class SampleStore:
    """Evaluates queries over synthetic and injected samples."""

    def __init__(self, synthetic_samples: SyntheticSamples, injected_samples: InjectedSamples) -> None:
        self._synthetic_samples = synthetic_samples
        self._injected_samples = injected_samples

    def find(self, query: ParsedQuery, order: Sequence[SortKey], limit: int, *, legacy: bool) -> list[str]:
        """Return the first ``limit`` matching samples as JSON.

        :param legacy: whether to use the field names of ``GET /v2/meters/NAME``.
        """
        matches = _first(self.matches(query), order, limit)
        return [self._as_json(time_us, source, legacy) for time_us, source in matches]

    def series(self, query: ParsedQuery) -> Iterator[Series]:
        """Return one matching synthetic series of each pair of resource and meter."""
        matching = (series for series in self._candidates(query) if query.matching_times(series))
        groups = itertools.groupby(matching, lambda series: (series.meter.name, series.resource.id))
        return (next(group) for _, group in groups)

    def matches(self, query: ParsedQuery) -> Iterator[Match]:
        """The matching samples in any order."""
        period = self._synthetic_samples.period()
        for series in self._candidates(query):
            for time_us in series.sample_times(query.matching_times(series) & period):
                yield time_us, series
        _, now_us = period.intervals[-1]
        for sample in self._injected_samples.list_all():
            times = query.matching_times(sample)
            if sample.time_us is None and times:
                yield now_us, sample
            elif sample.time_us is not None and sample.time_us in times:
                yield sample.time_us, sample

    def _candidates(self, query: ParsedQuery) -> Iterator[Series]:
        names = query.possible_values("meter")
        meters = [meter for name, meter in METERS.items() if names is None or name in names]
        for number in self._project_numbers(query):
            project_id = ids.project_id(self._synthetic_samples.seed, number)
            for meter in meters:
                if not self._injected_samples.replaces_synthetic(project_id, meter.name):
                    yield from self._synthetic_samples.series(number, meter)

    def _project_numbers(self, query: ParsedQuery) -> Iterable[int]:
        identifiers = query.possible_values("project_id")
        if identifiers is None:
            return self._synthetic_samples.project_numbers
        numbers = (ids.project_number(self._synthetic_samples.seed, str(identifier)) for identifier in identifiers)
        return sorted(number for number in numbers if number is not None)

    def _as_json(self, time_us: int, source: Series | InjectedSample, legacy: bool) -> str:
        if isinstance(source, InjectedSample):
            return source.as_json(legacy=legacy)
        return source.fill_template(self._synthetic_samples.json_template(source, legacy), time_us)


def _first(matches: Iterable[Match], order: Sequence[SortKey], limit: int) -> list[Match]:
    if len(order) == 1 and order[0].field == "timestamp":
        select = heapq.nlargest if order[0].descending else heapq.nsmallest
        return select(limit, matches, key=operator.itemgetter(0))
    ordered = list(matches)
    for key in reversed(order):
        ordered.sort(key=_sort_value(key.field), reverse=key.descending)
    return ordered[:limit]


def _sort_value(field: str) -> Callable[[Match], Any]:
    if field == "timestamp":
        return operator.itemgetter(0)
    return lambda match: str(match[1].field_value(field))
