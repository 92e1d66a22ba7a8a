# SPDX-License-Identifier: Apache-2.0
"""Explains why usage is what it is: rates again, one meter mapping and resource at a time, and records each step."""

import dataclasses
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil import text
from distil.rating.deduplicate import deduplicate
from distil.rating.mapping import MeterMapping
from distil.rating.rate import RatingRules
from distil.rating.rate import in_time_order
from distil.rating.rate import rate
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

_MAX_VOLUMES = 10
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_Samples = Sequence[model.Sample | model.RejectedSample]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """What one meter mapping makes of one resource's samples in one window; as text, a sentence.

    :param number: number of the mapping's entry in its file, from 1.
    :param resource_id: the id that the telemetry service uses; None where the samples have no readable one.
    :param samples: all samples that the telemetry service returned.
    :param untrusted: number of samples by source, for sources that are not trusted.
    :param duplicates: number of samples that were left out because they were delivered again, by their content.
    :param dropped: number of samples by the filter that does not match them.
    :param rejected: number of samples by the reason for which they cannot be used.
    :param matched: the other samples in time order, with the volumes that the transformer uses.
    :param names: names by what was looked up; None where the name is unknown.
    :param transformed: the transformer's usage.
    :param stored: usage entries of the same services and resource. Other mappings may have added to them.
    """

    number: int
    mapping: MeterMapping
    resource_id: str | None
    samples: _Samples
    untrusted: Mapping[str, int]
    duplicates: Mapping[model.DuplicateContent, int]
    dropped: Mapping[str, int]
    rejected: Mapping[str, int]
    matched: Sequence[model.Sample]
    names: Mapping[str, str | None]
    transformed: Sequence[model.Usage]
    stored: Sequence[model.Usage]

    def __str__(self) -> str:
        title = f"Resource {self.resource_id}, entry {self.number} ({self.mapping.meter})"
        return f"{title}: {'; '.join(self._steps())}."

    @property
    def _transformer(self) -> str:
        return type(self.mapping.transformer).__name__

    def _steps(self) -> Iterator[str]:
        yield text.pluralize(len(self.samples), "sample")
        yield from (
            f"{number} of source {text.short_repr(source)}, not trusted" for source, number in self.untrusted.items()
        )
        if self.duplicates:
            changed = self.duplicates.get(model.DuplicateContent.CHANGED)
            content = f", {changed} of them with other content" if changed else ""
            yield f"{sum(self.duplicates.values())} delivered again{content}"
        yield from (f"{number} dropped by {source}" for source, number in self.dropped.items())
        yield from (f"{number} rejected: {reason}" for reason, number in self.rejected.items())
        if self.matched:
            first, last = self.matched[0].timestamp, self.matched[-1].timestamp
            period = f"from {first:{_TIME_FORMAT}} to {last:{_TIME_FORMAT}}"
            yield f"{len(self.matched)} for {self._transformer}, {period}, with volume {_volumes(self.matched)}"
        yield from (f"{key} is {name or 'unknown'}" for key, name in self.names.items())
        if self.transformed:
            yield from map(self._storage, self.transformed)
        else:
            yield self._reason_for_no_usage()

    def _storage(self, usage: model.Usage) -> str:
        volume = f"{self._transformer} gives {usage.volume.normalize():f} {usage.unit} of {usage.service}"
        for entry in self.stored:
            if entry.service == usage.service and entry.unit == usage.unit:
                others = ", with other meter mappings" if entry.volume != usage.volume else ""
                return f"{volume}; stored for {entry.resource_id}: {entry.volume.normalize():f} {entry.unit}{others}"
        return f"{volume}; not stored, because another meter mapping bills this resource in another unit"

    def _reason_for_no_usage(self) -> str:
        if self.matched and not self.rejected:
            return f"{self._transformer} gives no usage"
        return "no usage, because no sample is left"


def explain(rules: RatingRules, samples: _Samples, window: model.Window, lookups: Lookups) -> Iterator[Explanation]:
    """Explain what :func:`distil.rating.rate.rate` makes of the same samples.

    :raises LookupUnavailable: a name could not be looked up.
    """
    rated = rate(rules, samples, window, lookups)
    groups: dict[str, dict[str, list[model.Sample | model.RejectedSample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        groups[sample.meter][sample.resource_id or ""].append(sample)
    for number, mapping in enumerate(rules.mappings, start=1):
        for _, group in sorted(groups[mapping.meter].items()):
            mapping_rules = RatingRules((mapping,), rules.trusted_sources)
            yield _explain_group(number, mapping_rules, group, window, lookups, rated)


def _explain_group(
    number: int, rules: RatingRules, group: _Samples, window: model.Window, lookups: Lookups, rated: model.RatedWindow
) -> Explanation:
    """Explain one resource's samples by rules of one mapping.

    :param rated: the whole window, rated by all mappings.
    """
    (mapping,) = rules.mappings
    recorder = RecordingLookups(lookups)
    rated_alone = rate(rules, group, window, recorder.lookups)
    trusted, untrusted = _split_by_trust(rules, group)
    matched, dropped = _match(mapping, trusted, lookups)
    transformed = {(usage.service, usage.resource_id) for usage in rated_alone.usage}
    return Explanation(
        number=number,
        mapping=mapping,
        resource_id=group[0].resource_id,
        samples=group,
        untrusted=untrusted,
        duplicates=rated_alone.duplicates,
        dropped=dropped,
        rejected=Counter(sample.reason for sample in rated_alone.rejected),
        matched=matched,
        names=recorder.as_dict,
        transformed=rated_alone.usage,
        stored=[usage for usage in rated.usage if (usage.service, usage.resource_id) in transformed],
    )


def _split_by_trust(rules: RatingRules, group: _Samples) -> tuple[list[model.Sample], Counter[str]]:
    """The samples of trusted sources in time order, each once, and the number of others by source."""
    readable = [sample for sample in group if isinstance(sample, model.Sample)]
    trusted = [sample for sample in readable if rules.is_trusted(sample.source)]
    untrusted = Counter(sample.source for sample in readable if not rules.is_trusted(sample.source))
    return in_time_order(deduplicate(trusted).samples), untrusted


def _match(
    mapping: MeterMapping, samples: Sequence[model.Sample], lookups: Lookups
) -> tuple[list[model.Sample], Counter[str]]:
    """The matching samples, as the transformer uses them, and the number of dropped ones by filter."""
    matched: list[model.Sample] = []
    dropped: Counter[str] = Counter()
    for sample in samples:
        try:
            prepared = mapping.prepare(sample, lookups)
        except exceptions.SampleRejected:
            continue  # among the rejected samples of the rated window
        if prepared is None:
            dropped[next(matches.source for matches in mapping.filters if not matches(sample))] += 1
        else:
            matched.append(prepared)
    return matched, dropped


def _volumes(samples: Iterable[model.Sample]) -> str:
    counts = Counter("null" if sample.volume is None else str(sample.volume) for sample in samples)
    volumes = [volume if count == 1 else f"{volume} ({count} times)" for volume, count in counts.items()]
    more = len(volumes) - _MAX_VOLUMES
    return ", ".join(volumes[:_MAX_VOLUMES]) + (f" and {more} more" if more > 0 else "")
