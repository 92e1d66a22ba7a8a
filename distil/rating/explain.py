# SPDX-License-Identifier: Apache-2.0
"""Why usage is what it is: rating once more, one meter mapping and resource at a time, telling each step."""

import operator
from collections import Counter
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil.rating.explanation import Explanation
from distil.rating.mapping import MeterMapping
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

_Samples = Sequence[model.Sample | model.RejectedSample]


def explain(rules: RatingRules, samples: _Samples, window: model.Window, lookups: Lookups) -> Iterator[Explanation]:
    """Explain what :func:`distil.rating.rate.rate` makes of the same samples.

    :raises LookupUnavailable: a name could not be asked for.
    """
    whole = rate(rules, samples, window, lookups)
    groups: dict[str, dict[str, list[model.Sample | model.RejectedSample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        groups[sample.meter][sample.resource_id or ""].append(sample)
    for number, mapping in enumerate(rules.mappings, start=1):
        for _, group in sorted(groups[mapping.meter].items()):
            alone = RatingRules((mapping,), rules.trusted_sources)
            yield _explained(number, alone, group, window, lookups, whole)


def _explained(
    number: int, rules: RatingRules, group: _Samples, window: model.Window, lookups: Lookups, whole: model.RatedWindow
) -> Explanation:
    (mapping,) = rules.mappings
    recorder = RecordingLookups(lookups)
    alone = rate(rules, group, window, recorder.lookups)
    trusted, untrusted = _sorted_out(rules, group)
    fitting, dropped = _sieved(mapping, trusted, lookups)
    given = {(usage.service, usage.resource_id): usage for usage in alone.usage}
    return Explanation(
        number=number,
        mapping=mapping,
        resource_id=group[0].resource_id,
        samples=group,
        untrusted=untrusted,
        dropped=dropped,
        rejected=Counter(sample.reason for sample in alone.rejected),
        matched=fitting,
        names=recorder.as_dict,
        transformed=alone.usage,
        stored=[usage for usage in whole.usage if (usage.service, usage.resource_id) in given],
    )


def _sorted_out(rules: RatingRules, group: _Samples) -> tuple[list[model.Sample], Counter[str]]:
    """The samples of trusted sources in time order, and the number of others by their source."""
    readable = [sample for sample in group if isinstance(sample, model.Sample)]
    trusted = [sample for sample in readable if rules.is_trusted(sample.source)]
    untrusted = Counter(sample.source for sample in readable if not rules.is_trusted(sample.source))
    return sorted(trusted, key=operator.attrgetter("timestamp")), untrusted


def _sieved(
    mapping: MeterMapping, samples: Sequence[model.Sample], lookups: Lookups
) -> tuple[list[model.Sample], Counter[str]]:
    """The samples that fit, as the transformer takes them, and the number of those dropped by filter."""
    fitting: list[model.Sample] = []
    dropped: Counter[str] = Counter()
    for sample in samples:
        try:
            fitted = mapping.prepare(sample, lookups)
        except exceptions.SampleRejected:
            # Told with the others that rating rejects.
            continue
        if fitted is None:
            dropped[next(holds.source for holds in mapping.filters if not holds(sample))] += 1
        else:
            fitting.append(fitted)
    return fitting, dropped
