# SPDX-License-Identifier: Apache-2.0
"""From the samples of one project in one window to its usage."""

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

# Enough digits for the product and the sum of all volumes that are let in, so that nothing is rounded on the way.
_ARITHMETIC = decimal.Context(prec=80)

_TIME = operator.attrgetter("timestamp")

# Samples by meter and resource.
_ByMeter = dict[str, dict[str, list[model.Sample]]]


@dataclasses.dataclass(frozen=True)
class RatingRules:
    """What an operator decided about rating.

    :param trusted_sources: matched at the beginning of a sample's source; none: every source is trusted.
    """

    mappings: tuple[MeterMapping, ...]
    trusted_sources: tuple[re.Pattern[str], ...] = ()

    @property
    def meters(self) -> Sequence[str]:
        """The meters to ask for, each once."""
        return tuple(dict.fromkeys(mapping.meter for mapping in self.mappings))

    def is_trusted(self, source: str) -> bool:
        return not self.trusted_sources or any(pattern.match(source) for pattern in self.trusted_sources)


def rate(
    rules: RatingRules, samples: Iterable[model.Sample | model.RejectedSample], window: model.Window, lookups: Lookups
) -> model.RatedWindow:
    """Rate one project's samples of one window, in any order.

    :raises LookupUnavailable: a name could not be asked for; nothing is rated.
    """
    ledger = UsageAccumulator()
    samples_of: _ByMeter = defaultdict(lambda: defaultdict(list))
    trusted: dict[str, bool] = {}
    count = untrusted = 0
    for count, sample in enumerate(samples, start=1):  # noqa: B007
        if isinstance(sample, model.RejectedSample):
            ledger.reject(sample)
            continue
        trust = trusted.get(sample.source)
        if trust is None:
            trust = trusted[sample.source] = rules.is_trusted(sample.source)
        if trust:
            samples_of[sample.meter][sample.resource_id].append(sample)
        else:
            untrusted += 1
    groups = {meter: _in_order(by_resource) for meter, by_resource in samples_of.items()}
    with decimal.localcontext(_ARITHMETIC):
        for mapping in rules.mappings:
            for group in groups.get(mapping.meter, ()):
                _bill(mapping, group, window, lookups, ledger)
    return model.RatedWindow(
        ledger.usage, ledger.resources, ledger.rejected, ledger.instances, count, ledger.used, untrusted
    )


def _in_order(by_resource: Mapping[str, list[model.Sample]]) -> list[list[model.Sample]]:
    """The samples of each resource in time order; equal times in an order that does not depend on how they came."""
    groups = [group for _, group in sorted(by_resource.items())]
    for group in groups:
        group.sort(key=_TIME)
        if len(set(map(_TIME, group))) < len(group):
            group.sort(key=lambda sample: (sample.timestamp, _identity(sample)))
    return groups


def _identity(sample: model.Sample) -> str:
    sample_id = sample.document.get("id")
    return sample_id if isinstance(sample_id, str) else text.canonical_json(sample.document)


def _bill(
    mapping: MeterMapping,
    samples: Iterable[model.Sample],
    window: model.Window,
    lookups: Lookups,
    ledger: UsageAccumulator,
) -> None:
    """Bill one resource."""
    group = _fitting(mapping, samples, lookups, ledger)
    if not group:
        return
    try:
        ledger.add(mapping, group, mapping.transformer.usage(mapping.service, group, window, lookups))
    except exceptions.SampleRejected as error:
        for sample in group:
            ledger.reject(sample_parser.reject(sample, error))


def _fitting(
    mapping: MeterMapping, samples: Iterable[model.Sample], lookups: Lookups, ledger: UsageAccumulator
) -> list[model.Sample]:
    fitting = []
    for sample in samples:
        try:
            fitted = mapping.prepare(sample, lookups)
        except exceptions.SampleRejected as error:
            ledger.reject(sample_parser.reject(sample, error))
        else:
            if fitted is not None:
                fitting.append(fitted)
    return fitting
