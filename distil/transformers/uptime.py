# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the window's seconds, shared out among the flavors that a machine had in it."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.text import service_name
from distil.transformers import numbers
from distil.transformers.base import Transformer
from distil.transformers.base import text
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class FlavorUptime(Transformer):
    """{prefix + flavor: seconds of the window / number of flavors}, the parts summing to the whole.

    Only flavors of samples in one of ``tracked_states`` (no case) count; without any there is no usage.
    """

    def __init__(self, options: Options) -> None:
        self.tracked_states = {state.lower() for state in options.texts("tracked_states")}
        self.prefix = options.text("prefix", default="")

    def check(self, sample: model.Sample) -> None:
        if self.status(sample).lower() in self.tracked_states:
            service_name(self.prefix + self.flavor(sample))

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        tracked = {self.flavor(sample) for sample in samples if self.status(sample).lower() in self.tracked_states}
        names = sorted({self.name(flavor, lookups) for flavor in tracked})
        if not names:
            return {}
        parts = numbers.split(window.seconds, len(names))
        return {self.prefix + name: part for name, part in zip(names, parts, strict=True)}

    @abc.abstractmethod
    def status(self, sample: model.Sample) -> str: ...

    @abc.abstractmethod
    def flavor(self, sample: model.Sample) -> str: ...

    def name(self, flavor: str, lookups: Lookups) -> str:
        """The name that a flavor is billed by."""
        return flavor


class Uptime(FlavorUptime):
    """Nova's instances."""

    def status(self, sample: model.Sample) -> str:
        return text(sample, "status", "state")

    def flavor(self, sample: model.Sample) -> str:
        return text(sample, "instance_type")


class DatabaseUptime(FlavorUptime):
    """Trove's instances, whose samples name their flavor by its id."""

    def status(self, sample: model.Sample) -> str:
        return text(sample, "status")

    def flavor(self, sample: model.Sample) -> str:
        return text(sample, "flavor.id")

    def name(self, flavor: str, lookups: Lookups) -> str:
        name = lookups.flavors.get(flavor)
        if name is None:
            raise exceptions.SampleRejected(f"flavor {flavor!r} does not exist, so there is no name to bill it by")
        return name
