# SPDX-License-Identifier: Apache-2.0
"""A transformer that bills the average volume of a window for every hour of it."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import plugin


class Average(plugin.Transformer):
    """{service + suffix: average of the volumes x hours}."""

    def __init__(self, options: plugin.Options) -> None:
        self._suffix = options.string("suffix", default="")

    def validate(self, sample: plugin.Sample, lookups: plugin.Lookups) -> None:
        if sample.volume is None:
            raise plugin.SampleRejected("volume is null, which cannot be averaged", plugin.RejectionReason.VOLUME)

    def usage(
        self, service: str, samples: Sequence[plugin.Sample], window: plugin.Window, lookups: plugin.Lookups
    ) -> Mapping[str, Decimal]:
        average = sum((sample.volume for sample in samples), Decimal(0)) / len(samples)
        return {service + self._suffix: average * window.hours}
