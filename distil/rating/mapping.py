# SPDX-License-Identifier: Apache-2.0
"""A meter mapping: one rule by which samples of a meter become usage of a service."""

import dataclasses
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

    :param sources: keys of the sample's metadata; the first found wins.
    :param template: holds one ``%s``, which becomes the value.
    """

    name: str
    sources: tuple[str, ...]
    template: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class MeterMapping:
    """One entry of the meter mappings file.

    :param type: kind of resource, stored in the resource's info; None stores none.
    :param filters: all must hold.
    :param volume: a number that replaces every sample's volume, or expressions of which the first that finds a value
        does; None leaves it alone.
    :param res_id_template: holds one ``%s``, which becomes the resource id.
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

    def prepare(self, sample: model.Sample, lookups: Lookups) -> model.Sample | None:
        """The sample as this mapping's transformer takes it, or None where a filter does not hold.

        :raises SampleRejected: this mapping cannot use the sample.
        :raises LookupUnavailable: a name could not be asked for.
        """
        for holds in self.filters:
            if not holds(sample):
                return None
        if self.volume is not None:
            sample = structs.replace(sample, volume=self._volume(sample))
        volume = self.transformer.volume(sample)
        if volume is not sample.volume:
            sample = structs.replace(sample, volume=volume)
        self.transformer.validate(sample, lookups)
        return sample

    def _volume(self, sample: model.Sample) -> Any:
        if not isinstance(self.volume, tuple):
            return self.volume
        for expression in self.volume:
            value = expression(sample)
            if value is not None:
                return value
        sources = ", ".join(expression.source for expression in self.volume)
        raise exceptions.SampleRejected(
            f"volume is missing: nothing found by {sources}", exceptions.RejectionReason.VOLUME
        )
