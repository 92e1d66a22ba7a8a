# SPDX-License-Identifier: Apache-2.0
"""Accumulates the usage, resources and rejected samples of one project and window."""

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
    """Adds up what the meter mappings make of a window, resource by resource."""

    def __init__(self) -> None:
        self._usage: dict[tuple[str, str], model.Usage] = {}
        self._resources: dict[str, model.Resource] = {}
        self._rejected: dict[tuple[int, str], model.RejectedSample] = {}
        self._instances: dict[str, model.Sample] = {}
        # By the identity of the document: a sample that several mappings bill by counts once.
        self._used: dict[int, model.Sample] = {}

    def reject(self, sample: model.RejectedSample) -> None:
        """Keep a sample that cannot be used: once for each reason, however many mappings gave it."""
        self._rejected[id(sample.document), sample.reason] = sample

    def add(self, mapping: MeterMapping, samples: Sequence[model.Sample], volumes: Mapping[str, Decimal]) -> None:
        """Add a transformer's usage of one resource, all of it or nothing.

        Volumes of the same service and resource add up. In a resource's info, values added later win.

        :param samples: the resource's samples, in time order.
        :param volumes: volume by service.
        :raises SampleRejected: the usage cannot be stored.
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
            self._instances[described.id] = last
        self._used.update([(id(sample.document), sample) for sample in samples])

    def rated_window(
        self, *, samples: int, untrusted: int, duplicates: Mapping[model.DuplicateContent, int]
    ) -> model.RatedWindow:
        """Everything added so far.

        :param samples: number of samples that the telemetry service returned.
        :param untrusted: number of samples among them whose source is not trusted.
        :param duplicates: number of samples among them that were delivered again.
        """
        return model.RatedWindow(
            usage=tuple(self._usage.values()),
            resources=tuple(self._resources.values()),
            rejected=tuple(self._rejected.values()),
            instances=self._instances,
            samples=samples,
            used=tuple(self._used.values()),
            untrusted=untrusted,
            duplicates=duplicates,
        )

    def _entry(self, mapping: MeterMapping, resource_id: str, service: str, volume: Decimal) -> model.Usage:
        known = self._usage.get((service, resource_id))
        if known is not None and known.unit != mapping.unit:
            reason = f"{service} of this resource is billed in {known.unit}, not {mapping.unit}"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.UNIT)
        total = volume + (known.volume if known else 0)
        text.validate_service(service)
        return model.Usage(service, resource_id, mapping.unit, quantities.round_volume(total))
