# SPDX-License-Identifier: Apache-2.0
"""Explains why usage is what it is, from what is recorded while samples are rated."""

import dataclasses
import datetime
import enum
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.rating import resource
from distil.rating.mapping import MeterMapping
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.rating.trace import AnySample
from distil.rating.trace import RatingTrace
from distil.rating.trace import ResourceKey
from distil.rating.trace import ResourceTrace
from distil.transformers import quantities
from distil.transformers.lookups import Lookups

_END_OF_TIME = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class Outcome(enum.StrEnum):
    """What becomes of a sample."""

    USED = "used"
    DROPPED = "dropped"
    UNTRUSTED = "not trusted"
    DUPLICATE = "delivered again"
    REJECTED = "rejected"


class ExplainedSample(NamedTuple):
    """What one meter mapping makes of a sample.

    :param reason: the filter that does not match it, its source, its content compared with that of ``kept``, or why it
        is rejected; empty if it is used.
    :param volume: as the transformer uses it; None if it is null, or does not get there.
    :param kept: the delivery that counts, of one that does not.
    """

    sample: AnySample
    outcome: Outcome
    reason: str = ""
    volume: Decimal | None = None
    kept: AnySample | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """What one meter mapping makes of one resource's samples in one window.

    :param number: number of the mapping's entry in its file, from 1.
    :param resource_id: the id that the telemetry service uses; empty where the samples have no readable one.
    :param samples: all samples that the telemetry service returned, in time order.
    :param names: names by what was looked up; None where the name is unknown.
    :param steps: of the transformer's arithmetic.
    :param transformed: the transformer's usage.
    :param refusal: why that is not stored; None: it is.
    :param stored: usage entries of the same services and resource. Other mappings may have added to them.
    """

    number: int
    mapping: MeterMapping
    resource_id: str
    samples: Sequence[ExplainedSample]
    names: Mapping[str, str | None]
    steps: Sequence[str]
    transformed: Sequence[model.Usage]
    refusal: str | None
    stored: Sequence[model.Usage]

    def counts(self, outcome: Outcome) -> Mapping[str, int]:
        """The number of samples with an outcome, by reason."""
        return Counter(found.reason for found in self.samples if found.outcome == outcome)

    @property
    def transformer(self) -> str:
        return type(self.mapping.transformer).__name__


class ExplainedWindow(NamedTuple):
    """A rated window, and how its usage came about: by mapping and resource, in this order."""

    rated: model.RatedWindow
    explanations: Sequence[Explanation]


def explain(
    rules: RatingRules, samples: Iterable[AnySample], window: model.Window, lookups: Lookups
) -> ExplainedWindow:
    """Rate a window, and explain it.

    :raises LookupUnavailable: a name could not be looked up.
    """
    samples = list(samples)
    trace = RatingTrace()
    rated = rate(rules, samples, window, lookups, trace)
    keys = sorted({ResourceKey.of(sample) for sample in samples})
    explanations = [
        _explain_resource(number, mapping, key, trace, rated)
        for number, mapping in enumerate(rules.mappings, start=1)
        for key in keys
        if key.meter == mapping.meter
    ]
    return ExplainedWindow(rated, explanations)


def _explain_resource(
    number: int, mapping: MeterMapping, key: ResourceKey, trace: RatingTrace, rated: model.RatedWindow
) -> Explanation:
    found = trace.resources.get((number, key), ResourceTrace(mapping, Lookups()))
    transformed = _transformed(found)
    services = {(usage.service, usage.resource_id) for usage in transformed}
    return Explanation(
        number=number,
        mapping=mapping,
        resource_id=key.resource_id,
        samples=sorted((*_left_out(key, trace), *_given(found)), key=_time),
        names=found.names.as_dict,
        steps=found.steps,
        transformed=transformed,
        refusal=found.refusal,
        stored=[usage for usage in rated.usage if (usage.service, usage.resource_id) in services],
    )


def _transformed(trace: ResourceTrace) -> list[model.Usage]:
    """The transformer's result, as far as there is an id that it could be stored with."""
    if not trace.volumes:
        return []
    try:
        resource_id = resource.describe(trace.mapping, trace.matched[-1]).id
    except exceptions.SampleRejected:
        return []
    return [
        model.Usage(service, resource_id, trace.mapping.unit, quantities.round_volume(volume))
        for service, volume in trace.volumes.items()
    ]


def _left_out(key: ResourceKey, trace: RatingTrace) -> Iterator[ExplainedSample]:
    """The samples that no mapping is given."""
    for untrusted in trace.untrusted[key]:
        yield ExplainedSample(untrusted, Outcome.UNTRUSTED, untrusted.source)
    for unreadable in trace.unreadable[key]:
        yield ExplainedSample(unreadable, Outcome.REJECTED, unreadable.reason)
    for duplicate in trace.duplicates[key]:
        yield ExplainedSample(duplicate.sample, Outcome.DUPLICATE, duplicate.content, kept=duplicate.kept)


def _given(trace: ResourceTrace) -> Iterator[ExplainedSample]:
    """The samples that a mapping is given."""
    for sample in trace.dropped:
        unmatched = trace.mapping.unmatched_filter(sample)
        yield ExplainedSample(sample, Outcome.DROPPED, unmatched.source if unmatched else "")
    for sample, reason in trace.rejected:
        yield ExplainedSample(sample, Outcome.REJECTED, reason)
    outcome = Outcome.USED if trace.refusal is None else Outcome.REJECTED
    for sample in trace.matched:
        yield ExplainedSample(sample, outcome, trace.refusal or "", sample.volume)


def _time(explained: ExplainedSample) -> datetime.datetime:
    """The time of a sample; those whose time cannot be read come last."""
    if isinstance(explained.sample, model.Sample):
        return explained.sample.timestamp
    try:
        return model.parse_time(explained.sample.document.get("timestamp"))
    except ValueError:
        return _END_OF_TIME
