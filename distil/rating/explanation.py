# SPDX-License-Identifier: Apache-2.0
"""What became of one resource's samples by one meter mapping, as data and as a sentence."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from distil import model
from distil import text
from distil.rating.mapping import MeterMapping

_MOST_VOLUMES = 10
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """What one meter mapping makes of one resource's samples in one window.

    :param number: of the mapping's entry in its file, from 1.
    :param resource_id: the one that telemetry uses; None where the samples have none that can be read.
    :param samples: all that telemetry answered.
    :param untrusted: number of samples by their source, which is not trusted.
    :param dropped: number of samples by the filter that does not hold.
    :param rejected: number of samples by the reason why they cannot be used.
    :param fitting: the others in time order, with the volumes that the transformer takes.
    :param names: what was looked up -> the name, or None where there is none.
    :param given: what the transformer gave.
    :param stored: the usage entries of the same services and resource. Other mappings may have added to them.
    """

    number: int
    mapping: MeterMapping
    resource_id: str | None
    samples: Sequence[model.Sample | model.RejectedSample]
    untrusted: Mapping[str, int]
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
        yield from (f"{number} dropped by {source}" for source, number in self.dropped.items())
        yield from (f"{number} rejected: {reason}" for reason, number in self.rejected.items())
        if self.matched:
            first, last = self.matched[0].timestamp, self.matched[-1].timestamp
            period = f"from {first:{_TIME}} to {last:{_TIME}}"
            yield f"{len(self.matched)} for {self._transformer}, {period}, with volume {_volumes(self.matched)}"
        yield from (f"{key} is {name or 'unknown'}" for key, name in self.names.items())
        if self.transformed:
            yield from map(self._stored, self.transformed)
        else:
            yield self._why_none()

    def _stored(self, given: model.Usage) -> str:
        gave = f"{self._transformer} gives {given.volume.normalize():f} {given.unit} of {given.service}"
        for entry in self.stored:
            if entry.service == given.service and entry.unit == given.unit:
                others = ", with other meter mappings" if entry.volume != given.volume else ""
                return f"{gave}; stored for {entry.resource_id}: {entry.volume.normalize():f} {entry.unit}{others}"
        return f"{gave}; not stored, because another meter mapping bills this resource in another unit"

    def _why_none(self) -> str:
        if self.matched and not self.rejected:
            return f"{self._transformer} gives no usage"
        return "no usage, because no sample is left"


def _volumes(samples: Iterable[model.Sample]) -> str:
    counted = Counter("null" if sample.volume is None else str(sample.volume) for sample in samples)
    told = [volume if number == 1 else f"{volume} ({number} times)" for volume, number in counted.items()]
    rest = len(told) - _MOST_VOLUMES
    return ", ".join(told[:_MOST_VOLUMES]) + (f" and {rest} more" if rest > 0 else "")
