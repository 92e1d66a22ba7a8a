# SPDX-License-Identifier: Apache-2.0
"""Rates rejected samples again, by the current rules."""

import dataclasses
from collections.abc import Collection
from collections.abc import Mapping

from distil import model
from distil import text
from distil.rating.deduplicate import message_id
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.transformers.lookups import Lookups


@dataclasses.dataclass(frozen=True)
class Rerated:
    """The rejected samples of one resource and window, rated again.

    :param reasons: why samples still cannot be used, by their key.
    :param used: keys of the samples that the usage was made of, and of their other deliveries.
    """

    rated: model.RatedWindow
    reasons: Mapping[int, str]
    used: frozenset[int]


def rerate(
    rules: RatingRules,
    samples: Mapping[int, model.Sample | model.RejectedSample],
    window: model.Window,
    lookups: Lookups,
) -> Rerated:
    """Rate samples of one project and resource in one window, each once.

    Of deliveries with one message id, the last recorded counts, and its reason is that of the others. A sample may be
    stored several times, once for each reason; without a message id, equal documents are taken for one sample.

    :param samples: samples by any key; the result has the same keys.
    :raises LookupUnavailable: a name could not be looked up.
    """
    distinct = {_document(sample): sample for sample in samples.values()}
    rated = rate(rules, distinct.values(), window, lookups)
    reasons = {_identity(distinct[_document(sample)]): sample.reason for sample in rated.rejected}
    identities = {key: _identity(sample) for key, sample in samples.items()}
    used = set(map(_identity, rated.used))
    return Rerated(
        rated,
        reasons={key: reasons[identity] for key, identity in identities.items() if identity in reasons},
        used=frozenset(key for key, identity in identities.items() if identity in used),
    )


def _document(sample: model.Sample | model.RejectedSample) -> tuple[str, str]:
    return sample.meter, text.canonical_json(sample.document)


def _identity(sample: model.Sample | model.RejectedSample) -> tuple[object, ...]:
    """Equal for deliveries of one sample, those that can be read and those that cannot apart."""
    sample_id = message_id(sample.document)
    if sample_id is None:
        return _document(sample)
    return type(sample), sample.meter, text.canonical_json(sample.document.get("resource_id")), sample_id


def unbilled(
    usage: Collection[model.Usage], stored: Collection[model.Usage], *, force: bool = False
) -> list[model.Usage]:
    """The usage that has not been billed and can be billed now without billing anything twice.

    A transformer works on all samples of a resource together. Where some of them were billed and the others rejected,
    the contribution of the rejected ones cannot be computed any more; and the rules may have changed the service, unit
    or id since. So nothing is billed beside a stored entry unless the rejected samples give exactly that entry, too.

    :param usage: usage of a resource's rejected samples.
    :param stored: usage entries of the same project and window that may belong to the resource.
    :param force: bill beside other entries.
    """
    billed = {(entry.resource_id, entry.service) for entry in stored}
    if not force and any(entry not in usage for entry in stored):
        return []
    return [entry for entry in usage if (entry.resource_id, entry.service) not in billed]
