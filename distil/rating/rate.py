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
from distil.rating.deduplicate import Duplicate
from distil.rating.deduplicate import deduplicate
from distil.rating.deduplicate import deduplicate_unreadable
from distil.rating.mapping import MeterMapping
from distil.rating.trace import RatingTrace
from distil.rating.trace import ResourceTrace
from distil.transformers import quantities
from distil.transformers.lookups import Lookups

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
    rules: RatingRules,
    samples: Iterable[model.Sample | model.RejectedSample],
    window: model.Window,
    lookups: Lookups,
    trace: RatingTrace | None = None,
) -> model.RatedWindow:
    """Rate one project's samples of one window, in any order.

    :param trace: records what becomes of each sample; None: nothing does.
    :raises LookupUnavailable: a name could not be looked up; nothing is rated.
    """
    readable: dict[str, dict[str, list[model.Sample]]] = defaultdict(lambda: defaultdict(list))
    unreadable: list[model.RejectedSample] = []
    trusted_sources: dict[str, bool] = {}
    untrusted: list[model.Sample] = []
    count = 0
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
            untrusted.append(sample)
    # Each on its own: of a sample that cannot be read it is not known whether its source is trusted.
    rejected, unreadable_duplicates = deduplicate_unreadable(unreadable)
    groups, readable_duplicates = _group(readable)
    duplicates = [*unreadable_duplicates, *readable_duplicates]
    if trace is not None:
        trace.leave_out(untrusted, rejected, duplicates)
    accumulator = UsageAccumulator()
    for sample in rejected:
        accumulator.reject(sample)
    with decimal.localcontext(quantities.ARITHMETIC):
        for number, mapping in enumerate(rules.mappings, start=1):
            for group in groups.get(mapping.meter, ()):
                resource = None if trace is None else trace.resource(number, mapping, group, lookups)
                _rate_resource(mapping, group, window, lookups, accumulator, resource)
    return accumulator.rated_window(
        samples=count, untrusted=len(untrusted), duplicates=Counter(duplicate.content for duplicate in duplicates)
    )


def _group(
    samples: Mapping[str, Mapping[str, Sequence[model.Sample]]],
) -> tuple[dict[str, list[list[model.Sample]]], list[Duplicate]]:
    """The samples of each resource by meter, each sample once, and those delivered again."""
    groups = {}
    duplicates: list[Duplicate] = []
    for meter, by_resource in samples.items():
        found = [deduplicate(group) for _, group in sorted(by_resource.items())]
        groups[meter] = [in_time_order(group.samples) for group in found]
        for group in found:
            duplicates += group.duplicates
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
    trace: ResourceTrace | None,
) -> None:
    transformer = mapping.transformer
    if trace is not None:
        lookups, transformer = trace.names.lookups, trace.transformer
    matched = _match(mapping, samples, lookups, accumulator, trace)
    if not matched:
        return
    try:
        volumes = transformer.usage(mapping.service, matched, window, lookups)
        if trace is not None:
            trace.volumes = volumes
        accumulator.add(mapping, matched, volumes)
    except exceptions.SampleRejected as error:
        if trace is not None:
            trace.refusal = str(error)
        for sample in matched:
            accumulator.reject(sample_parser.reject(sample, error))


def _match(
    mapping: MeterMapping,
    samples: Iterable[model.Sample],
    lookups: Lookups,
    accumulator: UsageAccumulator,
    trace: ResourceTrace | None,
) -> list[model.Sample]:
    """The samples that match the mapping's filters, prepared for its transformer."""
    matched = []
    for sample in samples:
        try:
            prepared = mapping.prepare(sample, lookups)
        except exceptions.SampleRejected as error:
            accumulator.reject(sample_parser.reject(sample, error))
            if trace is not None:
                trace.reject(sample, error)
        else:
            if prepared is not None:
                matched.append(prepared)
            elif trace is not None:
                trace.dropped.append(sample)
    if trace is not None:
        trace.matched = matched
    return matched
