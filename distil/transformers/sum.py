# SPDX-License-Identifier: Apache-2.0
"""The transformer for meters whose samples each measure a part of the usage."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups


class Sum(Transformer):
    """{service: sum of the volumes of the samples inside the window}."""

    adds_volumes = True

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        # Null is not 0 here: a part of the usage is unknown, which an operator should see.
        if sample.volume is None:
            raise exceptions.SampleRejected("volume is null, which cannot be summed", exceptions.RejectionReason.VOLUME)

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        volumes = [sample.volume for sample in samples if sample.timestamp in window]
        total = sum(volumes, Decimal(0))
        self.note("the sum of the %s volumes inside the window is %s", len(volumes), total)
        return {service: total}
