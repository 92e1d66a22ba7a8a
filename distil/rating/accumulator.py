# SPDX-License-Identifier: Apache-2.0
"""Where one window's usage is gathered."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil import text
from distil.rating import resource
from distil.rating.mapping import VIRTUAL_MACHINE
from distil.rating.mapping import MeterMapping
from distil.transformers import quantities


class UsageAccumulator:
    """The usage, resources and rejected samples of one project and window."""

    def __init__(self) -> None:
        self._usage: dict[tuple[str, str], model.Usage] = {}
        self._resources: dict[str, model.Resource] = {}
        self._rejected: dict[tuple[int, str], model.RejectedSample] = {}
        self._used: set[int] = set()
        self.instances: dict[str, model.Sample] = {}

    @property
    def usage(self) -> tuple[model.Usage, ...]:
        return tuple(self._usage.values())

    @property
    def resources(self) -> tuple[model.Resource, ...]:
        return tuple(self._resources.values())

    @property
    def rejected(self) -> tuple[model.RejectedSample, ...]:
        return tuple(self._rejected.values())

    @property
    def used(self) -> int:
        """Number of samples that were billed by, each once however many mappings did."""
        return len(self._used)

    def reject(self, sample: model.RejectedSample) -> None:
        """Keep a sample that cannot be used, once for each reason however many mappings gave it."""
        self._rejected[id(sample.document), sample.reason] = sample

    def add(self, mapping: MeterMapping, samples: Sequence[model.Sample], volumes: Mapping[str, Decimal]) -> None:
        """Add what a transformer answered for one resource, all of it or nothing.

        Volumes of one service and resource add up; of a resource's info, what is added later wins.

        :param samples: the resource's, in time order.
        :raises SampleRejected: it cannot be stored.
        """
        if not volumes:
            return
        last = samples[-1]
        described = resource.describe(mapping, last)
        entries = [self._entry(mapping, described.id, service, volume) for service, volume in volumes.items()]
        for entry in entries:
            self._usage[entry.service, entry.resource_id] = entry
        known = self._resources.get(described.id, described)
        self._resources[described.id] = model.Resource(described.id, {**known.info, **described.info})
        if mapping.type == VIRTUAL_MACHINE:
            self.instances[described.id] = last
        self._used.update([id(sample.document) for sample in samples])

    def _entry(self, mapping: MeterMapping, resource_id: str, service: str, volume: Decimal) -> model.Usage:
        known = self._usage.get((service, resource_id))
        if known is not None and known.unit != mapping.unit:
            reason = f"{service} of this resource is billed in {known.unit}, not {mapping.unit}"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.UNIT)
        total = volume + (known.volume if known else 0)
        return model.Usage(text.service_name(service), resource_id, mapping.unit, total.quantize(quantities.QUANTUM))
