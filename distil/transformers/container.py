# SPDX-License-Identifier: Apache-2.0
"""The transformer for object storage containers, whose resource id is ``<project id>/<container>``."""

from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil.text import short_repr
from distil.transformers.lookups import Lookups
from distil.transformers.max import Max


class ContainerPolicyMax(Max):
    """Max, billed as the container's storage policy, or as the mapping's service if there is no policy."""

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        container_name(sample.resource_id)

    def service(self, service: str, samples: Sequence[model.Sample], lookups: Lookups) -> str:
        last = samples[-1]
        policy = lookups.container_policies.get(f"{last.project_id}/{container_name(last.resource_id)}")
        if policy:
            self.note("billed as the container's storage policy, %s", policy)
            return policy
        self.note("billed as %s: the container has no storage policy", service)
        return service


def container_name(resource_id: str) -> str:
    """The part of a resource id after its first slash.

    :raises SampleRejected: there is no slash, or nothing follows it.
    """
    _, _, name = resource_id.partition("/")
    if not name:
        reason = f"resource_id {short_repr(resource_id)} is not <project>/<container>"
        raise exceptions.SampleRejected(reason, exceptions.RejectionReason.RESOURCE_ID)
    return name
