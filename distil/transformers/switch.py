# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill every hour of a window in which a resource was on, else 0."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
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
    """On if the volume, a status code, is 1 (active).

    Null and negative codes are no status: Ceilometer sends -1 where it does not know the status. Such samples are
    rejected if no other sample of the window is active.
    """

    def volume(self, sample: model.Sample) -> Decimal | None:
        return quantities.parse_decimal(sample.volume, "volume")

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        usage = super().usage(service, samples, window, lookups)
        if not usage[service] and any(sample.volume is None or sample.volume < 0 for sample in samples):
            reason = "the status is unknown: the volume is null or negative, and no sample of the window is active"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.VOLUME)
        return usage

    def is_on(self, sample: model.Sample) -> bool:
        return bool(sample.volume == _ACTIVE)
