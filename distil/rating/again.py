# SPDX-License-Identifier: Apache-2.0
"""Rejected samples, rated once more by the rules of today."""

import dataclasses
from collections.abc import Collection
from collections.abc import Mapping

from distil import model
from distil import text
from distil.rating.rate import Rated
from distil.rating.rate import Rules
from distil.rating.rate import rate
from distil.transformers.lookups import Lookups


@dataclasses.dataclass(frozen=True)
class Again:
    """What the rejected samples of one resource and window give now.

    :param reasons: why samples still cannot be used, by the key that they came with.
    """

    rated: Rated
    reasons: Mapping[int, str]


def rate_again(
    rules: Rules, samples: Mapping[int, model.Sample | model.RejectedSample], window: model.Window, lookups: Lookups
) -> Again:
    """Rate samples of one project and resource in one window, by any key. One that is there twice counts once.

    :raises LookupUnavailable: a name could not be asked for.
    """
    identities = {key: (sample.meter, text.canonical(sample.document)) for key, sample in samples.items()}
    distinct = {identities[key]: sample for key, sample in samples.items()}
    rated = rate(rules, distinct.values(), window, lookups)
    reasons = {(sample.meter, text.canonical(sample.document)): sample.reason for sample in rated.rejected}
    return Again(rated, {key: reasons[identity] for key, identity in identities.items() if identity in reasons})


def to_bill(
    rules: Rules, meters: Collection[str], usage: Collection[model.Usage], stored: Collection[model.Usage]
) -> list[model.Usage]:
    """What of a resource's usage has not been billed, and can be without billing anything twice.

    A transformer sees all samples of a resource together. Where some were billed and these were rejected, nobody can
    tell any more what these add to it: what is stored stays as it is. That may have another name, as that of a
    machine's other flavor has. So nothing is billed beside a stored entry of the same unit, unless it is accounted for:
    these samples give exactly it, too, or it is the service of other meters.

    :param meters: of the samples.
    :param usage: what the rejected samples give.
    :param stored: usage entries of the same project and window.
    """
    billed = {(entry.resource_id, entry.service) for entry in stored}
    own = {mapping.service for mapping in rules.mappings if mapping.meter in meters}
    others = {mapping.service for mapping in rules.mappings} - own
    unexplained = {
        (entry.resource_id, entry.unit) for entry in stored if entry not in usage and entry.service not in others
    }
    missing = [entry for entry in usage if (entry.resource_id, entry.service) not in billed]
    return [] if any((entry.resource_id, entry.unit) in unexplained for entry in missing) else missing
