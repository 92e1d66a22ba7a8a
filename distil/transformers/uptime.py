# SPDX-License-Identifier: Apache-2.0
"""Transformers that bill the seconds of a window, divided among the flavors that an instance had in it."""

import abc
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from distil import exceptions
from distil import model
from distil.text import short_repr
from distil.text import validate_service
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.base import metadata_str
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options

# Nova makes such an id for each flavor that is created without one.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Ceilometer's pollster makes such a name where it cannot read a flavor (nova_client.py).
_PLACEHOLDER = re.compile(r"unknown-id-(.*)", re.DOTALL)


class FlavorUptime(Transformer):
    """{prefix + flavor: seconds of the window / number of flavors}; the parts sum exactly to the window.

    Only samples in one of ``tracked_states`` (case-insensitive) count; without any there is no usage.

    :cvar status_keys: keys of the status in the metadata.
    :cvar flavor_key: key of the flavor in the metadata.
    """

    uses_service = False
    status_keys: ClassVar[Sequence[str]]
    flavor_key: ClassVar[str]

    def __init__(self, options: Options) -> None:
        self.tracked_states = {state.lower() for state in options.string_list("tracked_states")}
        self.prefix = options.string("prefix", default="")

    def required_metadata(self) -> Sequence[Sequence[str]]:
        return self.status_keys, (self.flavor_key,)

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        if self.is_tracked(sample):
            validate_service(self.service(sample, lookups))

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        tracked = [sample for sample in samples if self.is_tracked(sample)]
        self.note("%s of %s samples are in a tracked state", len(tracked), len(samples))
        if not tracked:
            return {}
        services = sorted(self.prefix + flavor for flavor in self.flavors(tracked, lookups))
        parts = quantities.split(window.seconds, len(services))
        self.note("the window's %s seconds / %s = %s for each flavor", window.seconds, len(services), parts[-1])
        return dict(zip(services, parts, strict=True))

    def is_tracked(self, sample: model.Sample) -> bool:
        return metadata_str(sample, *self.status_keys).lower() in self.tracked_states

    def service(self, sample: model.Sample, lookups: Lookups) -> str:
        return self.prefix + self.flavor(sample, lookups)

    def flavors(self, samples: Iterable[model.Sample], lookups: Lookups) -> set[str]:
        """The names of the flavors of an instance's samples."""
        return {self.flavor(sample, lookups) for sample in samples}

    @abc.abstractmethod
    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        """The name of the flavor."""


class Uptime(FlavorUptime):
    """Uptime of Nova instances, whose samples hold the name of their flavor; some of them its id."""

    status_keys = ("status", "state")
    flavor_key = "instance_type"

    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        name = metadata_str(sample, self.flavor_key)
        placeholder = _PLACEHOLDER.fullmatch(name)
        if placeholder:
            return _flavor_name(placeholder[1], lookups)
        return _flavor_name(name, lookups) if _UUID.fullmatch(name) else name

    def flavors(self, samples: Iterable[model.Sample], lookups: Lookups) -> set[str]:
        flavors = super().flavors(samples, lookups)
        if len(flavors) == 1:
            return flavors
        # Any text may be an id. It is one if the instance's other samples name the flavor that has it.
        names = {flavor: lookups.flavors.get(flavor) for flavor in flavors}
        return {name if name in flavors else flavor for flavor, name in names.items()}


class DatabaseUptime(FlavorUptime):
    """Uptime of Trove instances, whose samples hold the id of their flavor."""

    status_keys = ("status",)
    flavor_key = "flavor.id"

    def flavor(self, sample: model.Sample, lookups: Lookups) -> str:
        return _flavor_name(metadata_str(sample, self.flavor_key), lookups)


def _flavor_name(flavor_id: str, lookups: Lookups) -> str:
    name = lookups.flavors.get(flavor_id)
    if name is None:
        reason = f"flavor {short_repr(flavor_id)} does not exist, so its name cannot be billed"
        raise exceptions.SampleRejected(reason, exceptions.RejectionReason.LOOKUP)
    return name
