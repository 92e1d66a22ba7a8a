# SPDX-License-Identifier: Apache-2.0
"""Records what becomes of each sample while samples are rated, for explanations."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.rating.deduplicate import Duplicate
from distil.rating.mapping import MeterMapping
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

AnySample = model.Sample | model.RejectedSample


class ResourceKey(NamedTuple):
    """A meter's resource, by the id that the telemetry service uses; empty where samples have no readable one."""

    meter: str
    resource_id: str

    @classmethod
    def of(cls, sample: AnySample) -> "ResourceKey":
        return cls(sample.meter, sample.resource_id or "")


class ResourceTrace:
    """What a meter mapping makes of the samples of one resource.

    :ivar transformer: the mapping's, which notes its steps.
    :ivar names: records what is looked up.
    :ivar dropped: samples that a filter does not match.
    :ivar rejected: samples that the mapping cannot use, with the reason.
    :ivar matched: the others, as the transformer uses them, in time order.
    :ivar steps: of the transformer's arithmetic.
    :ivar volumes: the transformer's result.
    :ivar refusal: why the result, and all samples that matched, are rejected; None: they are not.
    """

    def __init__(self, mapping: MeterMapping, lookups: Lookups) -> None:
        self.mapping = mapping
        self.names = RecordingLookups(lookups)
        self.dropped: list[model.Sample] = []
        self.rejected: list[tuple[model.Sample, str]] = []
        self.matched: Sequence[model.Sample] = ()
        self.steps: list[str] = []
        self.volumes: Mapping[str, Decimal] = {}
        self.refusal: str | None = None
        self.transformer = mapping.transformer.noting(self.steps)

    def reject(self, sample: model.Sample, error: exceptions.SampleRejected) -> None:
        self.rejected.append((sample, str(error)))


class RatingTrace:
    """What becomes of the samples of one project and window.

    :ivar untrusted: samples of sources that are not trusted.
    :ivar unreadable: samples that could not be parsed, each once.
    :ivar duplicates: samples that were delivered again.
    :ivar resources: by the number of the mapping's entry, from 1, and by resource.
    """

    def __init__(self) -> None:
        self.untrusted: dict[ResourceKey, list[model.Sample]] = defaultdict(list)
        self.unreadable: dict[ResourceKey, list[model.RejectedSample]] = defaultdict(list)
        self.duplicates: dict[ResourceKey, list[Duplicate]] = defaultdict(list)
        self.resources: dict[tuple[int, ResourceKey], ResourceTrace] = {}

    def leave_out(
        self,
        untrusted: Iterable[model.Sample],
        unreadable: Iterable[model.RejectedSample],
        duplicates: Iterable[Duplicate],
    ) -> None:
        """Record the samples that no mapping is given."""
        for sample in untrusted:
            self.untrusted[ResourceKey.of(sample)].append(sample)
        for rejected in unreadable:
            self.unreadable[ResourceKey.of(rejected)].append(rejected)
        for duplicate in duplicates:
            self.duplicates[ResourceKey.of(duplicate.sample)].append(duplicate)

    def resource(
        self, number: int, mapping: MeterMapping, samples: Sequence[model.Sample], lookups: Lookups
    ) -> ResourceTrace:
        """The trace of a resource, empty to begin with.

        :param number: of the mapping's entry, from 1.
        """
        trace = self.resources[number, ResourceKey.of(samples[0])] = ResourceTrace(mapping, lookups)
        return trace
