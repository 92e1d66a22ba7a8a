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
    """{service: hours if any sample is on, else 0}.

    Null is neither on nor off, and neither is a negative volume. The samples are rejected if it decides.
    """

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        volumes = [sample.volume for sample in samples]
        on = next((volume for volume in volumes if volume is not None and self.is_on(volume)), None)
        if on is not None:
            self.note("a sample is on, with volume %s, so the whole window counts: %s h", on, window.hours)
            return {service: window.hours}
        if any(volume is None or volume < 0 for volume in volumes):
            reason = "the status is unknown: the volume is null or negative, and no sample of the window is active"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.VOLUME)
        self.note("no sample is on")
        return {service: Decimal(0)}

    @abc.abstractmethod
    def is_on(self, volume: Decimal) -> bool: ...


class NumBool(Switch):
    """On if the volume is larger than 0."""

    def is_on(self, volume: Decimal) -> bool:
        return volume > 0


class NetworkService(Switch):
    """On if the volume, a status code, is 1 (active). Ceilometer sends -1 where it does not know the status."""

    def volume(self, sample: model.Sample) -> Decimal | None:
        return quantities.parse_decimal(sample.volume, "volume")

    def is_on(self, volume: Decimal) -> bool:
        return volume == _ACTIVE
