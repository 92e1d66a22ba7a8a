# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the largest volume of a window for every hour of it."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import model
from distil.transformers.base import Transformer
from distil.transformers.base import optional_metadata_str
from distil.transformers.lookups import Lookups


class Max(Transformer):
    """{service: largest volume x hours}; null counts as 0."""

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        largest = max(sample.volume or Decimal(0) for sample in samples)
        return {self.service(service, samples[-1], lookups): largest * window.hours}

    def service(self, service: str, last: model.Sample, lookups: Lookups) -> str:
        """The billed service, derived from the mapping's service and the last sample of the window."""
        return service


class VolumeTypeMax(Max):
    """Max, billed as the name of the last sample's volume type, or as the mapping's service if the type is unknown."""

    def service(self, service: str, last: model.Sample, lookups: Lookups) -> str:
        volume_type = optional_metadata_str(last, "volume_type")
        return (lookups.volume_types.get(volume_type) if volume_type else None) or service
