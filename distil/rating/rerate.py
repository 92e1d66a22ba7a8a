# SPDX-License-Identifier: Apache-2.0
"""Rejected samples, rated once more by the rules of today."""

import dataclasses
from collections.abc import Collection
from collections.abc import Mapping

from distil import model
from distil import text
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.transformers.lookups import Lookups


@dataclasses.dataclass(frozen=True)
class Rerated:
    """What the rejected samples of one resource and window give now.

    :param reasons: why samples still cannot be used, by the key that they came with.
    """

    rated: model.RatedWindow
    reasons: Mapping[int, str]


def rerate(
    rules: RatingRules,
    samples: Mapping[int, model.Sample | model.RejectedSample],
    window: model.Window,
    lookups: Lookups,
) -> Rerated:
    """Rate samples of one project and resource in one window, by any key. One that is there twice counts once.

    :raises LookupUnavailable: a name could not be asked for.
    """
    identities = {key: (sample.meter, text.canonical_json(sample.document)) for key, sample in samples.items()}
    distinct = {identities[key]: sample for key, sample in samples.items()}
    rated = rate(rules, distinct.values(), window, lookups)
    reasons = {(sample.meter, text.canonical_json(sample.document)): sample.reason for sample in rated.rejected}
    return Rerated(rated, {key: reasons[identity] for key, identity in identities.items() if identity in reasons})


def unbilled(
    usage: Collection[model.Usage], stored: Collection[model.Usage], *, force: bool = False
) -> list[model.Usage]:
    """What of a resource's usage has not been billed, and can be without billing anything twice.

    A transformer sees all samples of a resource together. Where some were billed and these were rejected, nobody can
    tell any more what these add to it, and the rules of then may have given it another service, unit or id. So nothing
    is billed beside a stored entry unless these samples give exactly that, too.

    :param usage: what the rejected samples give.
    :param stored: usage entries of the same project and window that may be of the resource.
    :param force: bill beside other entries.
    """
    billed = {(entry.resource_id, entry.service) for entry in stored}
    if not force and any(entry not in usage for entry in stored):
        return []
    return [entry for entry in usage if (entry.resource_id, entry.service) not in billed]
