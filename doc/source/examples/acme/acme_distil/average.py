# SPDX-License-Identifier: Apache-2.0
"""A transformer that bills the average volume of a window for every hour of it."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import plugin


class Average(plugin.Transformer):
    """{service + a value of the last sample's metadata: average of the volumes x hours}."""

    def __init__(self, options: plugin.Options) -> None:
        self._key = options.string("key", default="instance_type")

    def required_metadata(self) -> Sequence[Sequence[str]]:
        return ((self._key,),)

    def validate(self, sample: plugin.Sample, lookups: plugin.Lookups) -> None:
        plugin.metadata_str(sample, self._key)
        if sample.volume is None:
            raise plugin.SampleRejected("volume is null, which cannot be averaged", plugin.RejectionReason.VOLUME)

    def usage(
        self, service: str, samples: Sequence[plugin.Sample], window: plugin.Window, lookups: plugin.Lookups
    ) -> Mapping[str, Decimal]:
        average = sum((sample.volume for sample in samples), Decimal(0)) / len(samples)
        self.note("the average of %s volumes is %s; times %s h", len(samples), average, window.hours)
        return {f"{service}-{plugin.metadata_str(samples[-1], self._key)}": average * window.hours}
