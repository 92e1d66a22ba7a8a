# SPDX-License-Identifier: Apache-2.0
"""The names that samples do not carry, from Nova, Cinder and Swift."""

import random
import time
from collections.abc import Callable

from distil import exceptions
from distil.cloud import cache
from distil.cloud import cinder
from distil.cloud import client
from distil.cloud import connection
from distil.cloud import swift
from distil.transformers import lookups

LIFETIME_SECONDS = 3600.0

# For what there is much of and hardly ever changes: a container's policy, and the type of a volume. A run an hour would
# ask for each of them anew otherwise. They expire at different times, so that no run asks for all.
LONG_LIFETIME_SECONDS = 12 * 3600.0
_SPREAD = 0.5


def cloud_lookups(
    cloud: connection.Connection,
    lifetime: float = LIFETIME_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    long_lifetime: float = LONG_LIFETIME_SECONDS,
) -> lookups.Lookups:
    """Look-ups that ask the cloud, and remember what it said.

    Their ``get`` raises LookupUnavailable where a service gave no answer.

    :param lifetime: seconds; for what was not found, and for the names of flavors and volume types.
    :param long_lifetime: seconds; half of it and more for the policies of containers and the types of volumes.
    """

    def cached(load: Callable[[str], str | None]) -> cache.TTLCache[str | None]:
        return cache.TTLCache(load, lifetime, clock=clock)

    def long_cached(load: Callable[[str], str | None]) -> cache.TTLCache[str | None]:
        def good_for(name: str | None) -> float:
            return lifetime if name is None else long_lifetime * random.uniform(_SPREAD, 1)  # noqa: S311 - no secret

        return cache.TTLCache(load, good_for, clock=clock)

    compute, block_storage, object_store = (
        client.ServiceClient(cloud, name, exceptions.LookupUnavailable)
        for name in ("compute", "block_storage", "object_store")
    )
    return lookups.Lookups(
        flavors=cached(lambda flavor_id: flavor_name(compute, flavor_id)),
        volume_types=cached(cinder.CinderVolumeTypes(block_storage, lifetime, clock).name),
        types_of_volumes=long_cached(lambda volume_id: cinder.type_of_volume(block_storage, volume_id)),
        container_policies=long_cached(swift.SwiftContainers(object_store).storage_policy),
    )


def flavor_name(compute: client.ServiceClient, flavor_id: str) -> str | None:
    """The name of a flavor, private ones included; None where Nova has no such flavor."""
    found = compute.get("flavors", flavor_id)
    return None if found is None else found.object("flavor").required_str("name")
