# SPDX-License-Identifier: Apache-2.0
"""Rates the samples of one project in one window."""

import dataclasses
import decimal
import operator
import re
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil import text
from distil.rating import sample_parser
from distil.rating.accumulator import UsageAccumulator
from distil.rating.deduplicate import deduplicate
from distil.rating.deduplicate import deduplicate_unreadable
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

    def of_meter(self, meter: str) -> Sequence[MeterMapping]:
        """The mappings of a meter."""
        return [mapping for mapping in self.mappings if mapping.meter == meter]

    def is_trusted(self, source: str) -> bool:
        return not self.trusted_sources or any(pattern.match(source) for pattern in self.trusted_sources)


def rate(
    rules: RatingRules, samples: Iterable[model.Sample | model.RejectedSample], window: model.Window, lookups: Lookups
) -> model.RatedWindow:
    """Rate one project's samples of one window, in any order.

    :raises LookupUnavailable: a name could not be looked up; nothing is rated.
    """
    readable: dict[str, dict[str, list[model.Sample]]] = defaultdict(lambda: defaultdict(list))
    unreadable: list[model.RejectedSample] = []
    trusted_sources: dict[str, bool] = {}
    count = untrusted = 0
    for count, sample in enumerate(samples, start=1):  # noqa: B007
        if isinstance(sample, model.RejectedSample):
            unreadable.append(sample)
            continue
        trusted = trusted_sources.get(sample.source)
        if trusted is None:
            trusted = trusted_sources[sample.source] = rules.is_trusted(sample.source)
        if trusted:
            readable[sample.meter][sample.resource_id].append(sample)
        else:
            untrusted += 1
    # Each on its own: of a sample that cannot be read it is not known whether its source is trusted.
    rejected, duplicates = deduplicate_unreadable(unreadable)
    groups, readable_duplicates = _group(readable)
    accumulator = UsageAccumulator()
    for sample in rejected:
        accumulator.reject(sample)
    with decimal.localcontext(_ARITHMETIC):
        for mapping in rules.mappings:
            for group in groups.get(mapping.meter, ()):
                _rate_resource(mapping, group, window, lookups, accumulator)
    return accumulator.rated_window(
        samples=count, untrusted=untrusted, duplicates=Counter(duplicates) + readable_duplicates
    )


def _group(
    samples: Mapping[str, Mapping[str, Sequence[model.Sample]]],
) -> tuple[dict[str, list[list[model.Sample]]], Counter[model.DuplicateContent]]:
    """The samples of each resource by meter, each sample once, and the number of those delivered again."""
    groups = {}
    duplicates: Counter[model.DuplicateContent] = Counter()
    for meter, by_resource in samples.items():
        found = [deduplicate(group) for _, group in sorted(by_resource.items())]
        groups[meter] = [in_time_order(group.samples) for group in found]
        for group in found:
            if group.duplicates:
                duplicates.update(group.duplicates)
    return groups, duplicates


def in_time_order(samples: Sequence[model.Sample]) -> list[model.Sample]:
    """The samples in time order; of equal times, in an order independent of their arrival."""
    ordered = sorted(samples, key=_TIMESTAMP)
    if len(set(map(_TIMESTAMP, ordered))) < len(ordered):
        ordered.sort(key=lambda sample: (sample.timestamp, _sample_id(sample)))
    return ordered


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
