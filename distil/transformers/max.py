# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the largest volume of a window for all of its hours."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import model
from distil.transformers.base import Transformer
from distil.transformers.base import text_or_none
from distil.transformers.lookups import Lookups


class Max(Transformer):
    """{service: largest volume (null is 0) x hours}."""

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        largest = max(sample.volume or Decimal(0) for sample in samples)
        return {self.service(service, samples[-1], lookups): largest * window.hours}

    def service(self, service: str, last: model.Sample, lookups: Lookups) -> str:
        """What is billed, by the mapping's service and the last sample of the window."""
        return service


class VolumeTypeMax(Max):
    """Max, billed as the name of the last sample's volume type; as the mapping's service where that is unknown."""

    def service(self, service: str, last: model.Sample, lookups: Lookups) -> str:
        volume_type = text_or_none(last, "volume_type")
        return (lookups.volume_types.get(volume_type) if volume_type else None) or service
