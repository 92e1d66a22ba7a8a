# SPDX-License-Identifier: Apache-2.0
"""A transformer that bills the average of a window."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class Average(Transformer):
    """{service + suffix: average of the volumes x hours}."""

    def __init__(self, options: Options) -> None:
        self._suffix = options.string("suffix", default="")

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        if sample.volume is None:
            raise exceptions.SampleRejected("volume is null, which has no part in an average")

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        average = sum((sample.volume for sample in samples), Decimal(0)) / len(samples)
        return {service + self._suffix: average * window.hours}
