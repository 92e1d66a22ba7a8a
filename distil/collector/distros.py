# SPDX-License-Identifier: Apache-2.0
"""The operating systems of the virtual machines in a window."""

import random
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_log import log

from distil import exceptions
from distil import model

LOG = log.getLogger(__name__)

OS_DISTRO = "os_distro"

# Machines without an answer after which a window asks for no more: with a service that hangs each costs its time-out.
MAX_FAILED_LOOKUPS = 3

# (server id, the sample's image_ref_url) -> distribution; raises LookupUnavailable.
AskDistro = Callable[[str, object], str]


def annotate_os_distro(
    ask: AskDistro,
    machines: Mapping[str, model.Sample],
    known: Mapping[str, Mapping[str, object]],
    resources: Sequence[model.Resource],
) -> Sequence[model.Resource]:
    """The resources, with the distributions of the machines that have none yet, as far as there are answers.

    The distribution decides about licence fees: without an answer none is stored, and the next window asks again.

    :param machines: stored id -> last sample.
    :param known: stored id -> stored info.
    """
    distros = _unknown_distros(ask, machines, known)
    if not distros:
        return resources
    return [
        model.Resource(resource.id, {**resource.info, OS_DISTRO: distros[resource.id]})
        if resource.id in distros
        else resource
        for resource in resources
    ]


def _unknown_distros(
    ask: AskDistro, machines: Mapping[str, model.Sample], known: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    distros: dict[str, str] = {}
    failures: list[exceptions.LookupUnavailable] = []
    wanted = [resource_id for resource_id in machines if OS_DISTRO not in known.get(resource_id, {})]
    # In another order each time, lest the same few machines keep all others from their turn.
    for resource_id in random.sample(wanted, len(wanted)):
        sample = machines[resource_id]
        try:
            distros[resource_id] = ask(sample.resource_id, sample.metadata.get("image_ref_url"))
        except exceptions.LookupUnavailable as error:
            failures.append(error)
            if len(failures) >= MAX_FAILED_LOOKUPS:
                break
    for failure in failures:
        LOG.warning("The os_distro of a new virtual machine waits for the next window: %s", failure)
    return distros
