# SPDX-License-Identifier: Apache-2.0
"""Rates the samples of one project in one window."""

import dataclasses
import decimal
import operator
import re
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil import text
from distil.rating import sample_parser
from distil.rating.accumulator import UsageAccumulator
from distil.rating.mapping import MeterMapping
from distil.transformers.lookups import Lookups

# Digits for the exact product and sum of all accepted volumes: nothing is rounded before it is stored.
_ARITHMETIC = decimal.Context(prec=80)

_TIMESTAMP = operator.attrgetter("timestamp")


@dataclasses.dataclass(frozen=True)
class RatingRules:
    """An operator's rules: which samples are billed, and how.

    :param trusted_sources: matched at the beginning of a sample's source; empty trusts every source.
    """

    mappings: tuple[MeterMapping, ...]
    trusted_sources: tuple[re.Pattern[str], ...] = ()

    @property
    def meters(self) -> Sequence[str]:
        """The meters of all mappings, each once."""
        return tuple(dict.fromkeys(mapping.meter for mapping in self.mappings))

    def is_trusted(self, source: str) -> bool:
        return not self.trusted_sources or any(pattern.match(source) for pattern in self.trusted_sources)


def rate(
    rules: RatingRules, samples: Iterable[model.Sample | model.RejectedSample], window: model.Window, lookups: Lookups
) -> model.RatedWindow:
    """Rate one project's samples of one window, in any order.

    :raises LookupUnavailable: a name could not be looked up; nothing is rated.
    """
    accumulator = UsageAccumulator()
    by_meter: dict[str, dict[str, list[model.Sample]]] = defaultdict(lambda: defaultdict(list))
    trusted_sources: dict[str, bool] = {}
    count = untrusted = 0
    for count, sample in enumerate(samples, start=1):  # noqa: B007
        if isinstance(sample, model.RejectedSample):
            accumulator.reject(sample)
            continue
        trusted = trusted_sources.get(sample.source)
        if trusted is None:
            trusted = trusted_sources[sample.source] = rules.is_trusted(sample.source)
        if trusted:
            by_meter[sample.meter][sample.resource_id].append(sample)
        else:
            untrusted += 1
    groups = {meter: _sort(by_resource) for meter, by_resource in by_meter.items()}
    with decimal.localcontext(_ARITHMETIC):
        for mapping in rules.mappings:
            for group in groups.get(mapping.meter, ()):
                _rate_resource(mapping, group, window, lookups, accumulator)
    return accumulator.rated_window(samples=count, untrusted=untrusted)


def _sort(by_resource: Mapping[str, list[model.Sample]]) -> list[list[model.Sample]]:
    """The samples of each resource in time order; of equal times, in an order independent of their arrival."""
    groups = [group for _, group in sorted(by_resource.items())]
    for group in groups:
        group.sort(key=_TIMESTAMP)
        if len(set(map(_TIMESTAMP, group))) < len(group):
            group.sort(key=lambda sample: (sample.timestamp, _sample_id(sample)))
    return groups


def _sample_id(sample: model.Sample) -> str:
    sample_id = sample.document.get("id")
    return sample_id if isinstance(sample_id, str) else text.canonical_json(sample.document)


def _rate_resource(
    mapping: MeterMapping,
    samples: Iterable[model.Sample],
    window: model.Window,
    lookups: Lookups,
    accumulator: UsageAccumulator,
) -> None:
    matched = _match(mapping, samples, lookups, accumulator)
    if not matched:
        return
    try:
        accumulator.add(mapping, matched, mapping.transformer.usage(mapping.service, matched, window, lookups))
    except exceptions.SampleRejected as error:
        for sample in matched:
            accumulator.reject(sample_parser.reject(sample, error))


def _match(
    mapping: MeterMapping, samples: Iterable[model.Sample], lookups: Lookups, accumulator: UsageAccumulator
) -> list[model.Sample]:
    """The samples that match the mapping's filters, prepared for its transformer."""
    matched = []
    for sample in samples:
        try:
            prepared = mapping.prepare(sample, lookups)
        except exceptions.SampleRejected as error:
            accumulator.reject(sample_parser.reject(sample, error))
        else:
            if prepared is not None:
                matched.append(prepared)
    return matched
