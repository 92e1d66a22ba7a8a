# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the window's seconds, shared out among the flavors that a machine had in it."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.text import service_name
from distil.text import short_repr
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.base import text
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class FlavorUptime(Transformer):
    """{prefix + flavor: seconds of the window / number of flavors}, the parts summing to the whole.

    Only flavors of samples in one of ``tracked_states`` (no case) count; without any there is no usage.
    """

    def __init__(self, options: Options) -> None:
        self.tracked_states = {state.lower() for state in options.string_list("tracked_states")}
        self.prefix = options.string("prefix", default="")

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        if self.is_tracked(sample):
            service_name(self.service(sample, lookups))

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        services = sorted({self.service(sample, lookups) for sample in samples if self.is_tracked(sample)})
        if not services:
            return {}
        return dict(zip(services, quantities.split(window.seconds, len(services)), strict=True))

    def is_tracked(self, sample: model.Sample) -> bool:
        return self.status(sample).lower() in self.tracked_states

    def service(self, sample: model.Sample, lookups: Lookups) -> str:
        return self.prefix + self.flavor(sample, lookups)

    @abc.abstractmethod
    def status(self, sample: model.Sample) -> str: ...

    @abc.abstractmethod
    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        """The name of the flavor."""


class Uptime(FlavorUptime):
    """Nova's instances."""

    def status(self, sample: model.Sample) -> str:
        return text(sample, "status", "state")

    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        return text(sample, "instance_type")


class DatabaseUptime(FlavorUptime):
    """Trove's instances, whose samples name their flavor by its id."""

    def status(self, sample: model.Sample) -> str:
        return text(sample, "status")

    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        flavor_id = text(sample, "flavor.id")
        name = lookups.flavors.get(flavor_id)
        if name is None:
            reason = f"there is no flavor {short_repr(flavor_id)}, so no name to bill it by"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.LOOKUP)
        return name
