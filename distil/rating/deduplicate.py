# SPDX-License-Identifier: Apache-2.0
"""Finds samples that were delivered more than once: agents publish at least once, telemetry services store each."""

import datetime
import operator
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import TypeVar

from distil import model
from distil import text
from distil.model import DuplicateContent

_SampleT = TypeVar("_SampleT", model.Sample, model.RejectedSample)

_OLDEST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
# Texts that stand for no id.
_NO_ID = ("", "None")

_RESOURCE = operator.attrgetter("meter", "resource_id")


class Duplicate(NamedTuple):
    """A sample that is left out because another one has its message id.

    :param kept: the sample that counts.
    :param content: compared with that of the sample that counts.
    """

    sample: model.Sample | model.RejectedSample
    kept: model.Sample | model.RejectedSample
    content: DuplicateContent


class Deduplicated(NamedTuple, Generic[_SampleT]):
    """Samples without those that were delivered again, and those."""

    samples: Sequence[_SampleT]
    duplicates: Sequence[Duplicate]


def deduplicate(samples: Sequence[_SampleT]) -> Deduplicated[_SampleT]:
    """Keep one sample of each message id: the one that was recorded last, in whatever order they arrived.

    Samples without a message id cannot be told apart and are all kept.

    :param samples: samples of one meter and resource.
    """
    if not _has_repeated_id(samples):
        return Deduplicated(samples, ())
    kept: list[_SampleT] = []
    by_id: dict[str | int, list[_SampleT]] = defaultdict(list)
    for sample in samples:
        sample_id = message_id(sample.document)
        if sample_id is None:
            kept.append(sample)
        else:
            by_id[sample_id].append(sample)
    duplicates: list[Duplicate] = []
    for deliveries in by_id.values():
        *others, newest = sorted(deliveries, key=_recording) if len(deliveries) > 1 else deliveries
        kept.append(newest)
        duplicates += [Duplicate(other, newest, _compare(other, newest)) for other in others]
    return Deduplicated(kept, duplicates)


def deduplicate_unreadable(samples: Iterable[model.RejectedSample]) -> Deduplicated[model.RejectedSample]:
    """Deduplicate samples that could not be parsed, of any meters and resources."""
    groups: dict[object, list[model.RejectedSample]] = defaultdict(list)
    for sample in samples:
        groups[_RESOURCE(sample)].append(sample)
    found = [deduplicate(group) for group in groups.values()]
    return Deduplicated(
        [sample for group in found for sample in group.samples],
        [duplicate for group in found for duplicate in group.duplicates],
    )


def message_id(document: Mapping[str, Any]) -> str | int | None:
    """The id that the publisher gave a sample, the same in each delivery; None if there is none."""
    value = document.get("id")
    return value if isinstance(value, str | int) and value not in _NO_ID else None


def _has_repeated_id(samples: Sequence[model.Sample | model.RejectedSample]) -> bool:
    """Whether there may be duplicates. Quick: it is called for every resource, and nearly always false."""
    try:
        return len({sample.document.get("id") for sample in samples}) < len(samples)
    except TypeError:  # a list or an object
        return True


def _recording(sample: model.Sample | model.RejectedSample) -> tuple[datetime.datetime, str]:
    """Sorts the sample that was recorded last to the end; at equal times, one that depends on the content alone."""
    try:
        recorded_at = model.parse_time(sample.document.get("recorded_at"))
    except ValueError:
        recorded_at = _OLDEST
    return recorded_at, text.canonical_json(sample.document)


def _compare(
    sample: model.Sample | model.RejectedSample, kept: model.Sample | model.RejectedSample
) -> DuplicateContent:
    content, kept_content = (text.canonical_json({**found.document, "recorded_at": None}) for found in (sample, kept))
    return DuplicateContent.IDENTICAL if content == kept_content else DuplicateContent.CHANGED
