# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the seconds of a window, divided among the flavors that an instance had in it."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.text import short_repr
from distil.text import validate_service
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.base import metadata_str
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class FlavorUptime(Transformer):
    """{prefix + flavor: seconds of the window / number of flavors}; the parts sum exactly to the window.

    Only samples in one of ``tracked_states`` (case-insensitive) count; without any there is no usage.
    """

    def __init__(self, options: Options) -> None:
        self.tracked_states = {state.lower() for state in options.string_list("tracked_states")}
        self.prefix = options.string("prefix", default="")

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        if self.is_tracked(sample):
            validate_service(self.service(sample, lookups))

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
    """Uptime of Nova instances."""

    def status(self, sample: model.Sample) -> str:
        return metadata_str(sample, "status", "state")

    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        return metadata_str(sample, "instance_type")


class DatabaseUptime(FlavorUptime):
    """Uptime of Trove instances, whose samples hold the id of their flavor."""

    def status(self, sample: model.Sample) -> str:
        return metadata_str(sample, "status")

    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        flavor_id = metadata_str(sample, "flavor.id")
        name = lookups.flavors.get(flavor_id)
        if name is None:
            reason = f"flavor {short_repr(flavor_id)} does not exist, so its name cannot be billed"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.LOOKUP)
        return name
