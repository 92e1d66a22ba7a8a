# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill every hour of a window in which a resource was on, else 0."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import model
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups

_ACTIVE = 1


class Switch(Transformer):
    """{service: hours if any sample is on, else 0}."""

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        return {service: window.hours if any(self.is_on(sample) for sample in samples) else Decimal(0)}

    @abc.abstractmethod
    def is_on(self, sample: model.Sample) -> bool: ...


class NumBool(Switch):
    """On if the volume is larger than 0."""

    def is_on(self, sample: model.Sample) -> bool:
        return sample.volume is not None and sample.volume > 0


class NetworkService(Switch):
    """On if the volume, a status code, is 1 (active). Other codes may be negative: -1 is unknown."""

    def volume(self, sample: model.Sample) -> Decimal | None:
        return quantities.parse_decimal(sample.volume, "volume")

    def is_on(self, sample: model.Sample) -> bool:
        return bool(sample.volume == _ACTIVE)
