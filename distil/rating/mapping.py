# SPDX-License-Identifier: Apache-2.0
"""Meter mappings: each is a rule that turns the samples of one meter into usage of a service."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs

from distil import exceptions
from distil import model
from distil.rating.expression import Expression
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups

CONTAINER = "Object Storage Container"
VIRTUAL_MACHINE = "Virtual Machine"


@dataclasses.dataclass(frozen=True, slots=True)
class MetadataField:
    """A field of a resource's info.

    :param sources: keys of the sample's metadata; the first one found wins.
    :param template: text with one ``%s``, which is replaced by the value.
    """

    name: str
    sources: tuple[str, ...]
    template: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class MeterMapping:
    """One entry of the meter mappings file.

    :param type: type of resource, stored in the resource's info unless it is None.
    :param filters: a sample is billed only if all of them match.
    :param volume: replaces every sample's volume by a number, or by the first value that one of the expressions finds;
        None keeps the volume.
    :param res_id_template: text with one ``%s``, which is replaced by the resource id.
    """

    meter: str
    service: str
    type: str | None
    unit: str
    transformer: Transformer
    filters: tuple[Expression, ...] = ()
    volume: Decimal | tuple[Expression, ...] | None = None
    res_id_template: str | None = None
    metadata: tuple[MetadataField, ...] = ()

    @property
    def metadata_keys(self) -> Sequence[str]:
        """The keys of a sample's metadata that are read, each once: first those that usage depends on."""
        fields = [key for field in self.metadata for key in field.sources]
        return tuple(dict.fromkeys((*self.rated_metadata_keys, *fields)))

    @property
    def rated_metadata_keys(self) -> Sequence[str]:
        """The keys of a sample's metadata that usage depends on, each once, as far as the transformer declares its."""
        needed = [key for keys in self.transformer.required_metadata() for key in keys]
        expressions = (*self.filters, *(self.volume if isinstance(self.volume, tuple) else ()))
        read = [key for expression in expressions for key in sorted(expression.metadata_keys)]
        return tuple(dict.fromkeys((*needed, *read)))

    def prepare(self, sample: model.Sample, lookups: Lookups) -> model.Sample | None:
        """The sample as this mapping's transformer uses it; None if a filter does not match.

        :raises SampleRejected: this mapping cannot use the sample.
        :raises LookupUnavailable: a name could not be looked up.
        """
        if self.unmatched_filter(sample) is not None:
            return None
        if self.volume is not None:
            sample = structs.replace(sample, volume=self._volume(sample))
        volume = self.transformer.volume(sample)
        if volume is not sample.volume:
            sample = structs.replace(sample, volume=volume)
        self.transformer.validate(sample, lookups)
        return sample

    def unmatched_filter(self, sample: model.Sample) -> Expression | None:
        """The first filter that does not match a sample.

        :raises SampleRejected: a filter cannot be applied to it.
        """
        for matches in self.filters:
            if not matches(sample):
                return matches
        return None

    def _volume(self, sample: model.Sample) -> Any:
        if not isinstance(self.volume, tuple):
            return self.volume
        if sample.metadata is not sample.document["metadata"]:
            sample = structs.replace(sample, document={**sample.document, "metadata": sample.metadata})
        for expression in self.volume:
            value = expression(sample)
            if value is not None:
                return value
        sources = ", ".join(expression.source for expression in self.volume)
        reason = f"volume is missing: no value found by {sources}"
        raise exceptions.SampleRejected(reason, exceptions.RejectionReason.VOLUME)
