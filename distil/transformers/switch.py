# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the window's hours if something was there, and 0 if not."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import model
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups

ACTIVE = 1


class Switch(Transformer):
    """{service: hours if it was on in any sample, else 0}."""

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        return {service: window.hours if any(self.on(sample) for sample in samples) else Decimal(0)}

    @abc.abstractmethod
    def on(self, sample: model.Sample) -> bool: ...


class NumBool(Switch):
    """On while the volume is larger than 0."""

    def on(self, sample: model.Sample) -> bool:
        return sample.volume is not None and sample.volume > 0


class NetworkService(Switch):
    """On while the volume, which is a status code, is 1. Everything else is not active; -1 is "unknown"."""

    def volume(self, sample: model.Sample) -> Decimal | None:
        return quantities.parse_decimal(sample.volume, "volume")

    def on(self, sample: model.Sample) -> bool:
        return bool(sample.volume == ACTIVE)
