# SPDX-License-Identifier: Apache-2.0
"""Explanations of usage as sentences, for the log."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from decimal import Decimal

from distil import model
from distil import text
from distil.rating.explain import Explanation
from distil.rating.explain import Outcome

_MAX_VOLUMES = 10
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def sentence(explanation: Explanation) -> str:
    """An explanation in one sentence."""
    title = f"Resource {explanation.resource_id or None}, entry {explanation.number} ({explanation.mapping.meter})"
    return f"{title}: {'; '.join(_clauses(explanation))}."


def _clauses(explanation: Explanation) -> Iterator[str]:
    yield text.pluralize(len(explanation.samples), "sample")
    for source, number in explanation.counts(Outcome.UNTRUSTED).items():
        yield f"{number} of source {text.short_repr(source)}, not trusted"
    duplicates = explanation.counts(Outcome.DUPLICATE)
    if duplicates:
        changed = duplicates.get(model.DuplicateContent.CHANGED)
        content = f", {changed} of them with other content" if changed else ""
        yield f"{sum(duplicates.values())} delivered again{content}"
    yield from (f"{number} dropped by {source}" for source, number in explanation.counts(Outcome.DROPPED).items())
    yield from (f"{number} rejected: {reason}" for reason, number in explanation.counts(Outcome.REJECTED).items())
    yield from _usage(explanation)


def _usage(explanation: Explanation) -> Iterator[str]:
    used = [found for found in explanation.samples if found.outcome == Outcome.USED]
    times = [found.sample.timestamp for found in used if isinstance(found.sample, model.Sample)]
    if times:
        period = f"from {times[0]:{_TIME_FORMAT}} to {times[-1]:{_TIME_FORMAT}}"
        volumes = _volumes(found.volume for found in used)
        yield f"{len(used)} for {explanation.transformer}, {period}, with volume {volumes}"
    yield from (f"{key} is {name or 'unknown'}" for key, name in explanation.names.items())
    yield from (_storage(explanation, usage) for usage in explanation.transformed)
    if not explanation.transformed:
        yield f"{explanation.transformer} gives no usage" if used else "no usage, because no sample is left"


def _storage(explanation: Explanation, usage: model.Usage) -> str:
    gives = f"{explanation.transformer} gives {text.plain_number(usage.volume)} {usage.unit} of {usage.service}"
    if explanation.refusal is not None:
        return f"{gives}; not stored: {explanation.refusal}"
    (entry,) = (stored for stored in explanation.stored if stored.service == usage.service)
    others = ", with other meter mappings" if entry.volume != usage.volume else ""
    return f"{gives}; stored for {entry.resource_id}: {text.plain_number(entry.volume)} {entry.unit}{others}"


def _volumes(used: Iterable[Decimal | None]) -> str:
    counts = Counter("null" if volume is None else str(volume) for volume in used)
    volumes = [volume if count == 1 else f"{volume} ({count} times)" for volume, count in counts.items()]
    more = len(volumes) - _MAX_VOLUMES
    return ", ".join(volumes[:_MAX_VOLUMES]) + (f" and {more} more" if more > 0 else "")
