# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the largest volume of a window for every hour of it."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.transformers.base import Transformer
from distil.transformers.base import last_metadata_str
from distil.transformers.lookups import Lookups

_VOLUME_TYPE = "volume_type"


class Max(Transformer):
    """{service: largest volume x hours}. Samples whose volumes are all null are rejected."""

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        volumes = [sample.volume for sample in samples if sample.volume is not None]
        if not volumes:
            reason = "the volume is null in all samples of the window"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.VOLUME)
        return {self.service(service, samples, lookups): self.largest_for_each_hour(volumes, window)}

    def service(self, service: str, samples: Sequence[model.Sample], lookups: Lookups) -> str:
        """The billed service, derived from the mapping's service and the samples."""
        return service


class VolumeTypeMax(Max):
    """Max, billed as the name of the last known volume type, or as the mapping's service if the type does not exist."""

    def required_metadata(self) -> Sequence[Sequence[str]]:
        return ((_VOLUME_TYPE,),)

    def service(self, service: str, samples: Sequence[model.Sample], lookups: Lookups) -> str:
        volume_type = last_metadata_str(samples, _VOLUME_TYPE)
        name = lookups.volume_types.get(volume_type) if volume_type else None
        if name:
            self.note("billed as the name of the last volume type, %s", name)
            return name
        if volume_type:
            self.note("billed as %s: no volume type is called %s", service, volume_type)
        else:
            self.note("billed as %s: no sample has a volume type", service)
        return service
