# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that samples lack, in Nova, Cinder and Swift."""

import functools
import random
import threading
import time
from collections.abc import Callable

from distil import exceptions
from distil.cloud import cache
from distil.cloud import cinder
from distil.cloud import client
from distil.cloud import connection
from distil.cloud import nova
from distil.cloud import outage
from distil.cloud import swift
from distil.transformers import lookups

LIFETIME_SECONDS = 3600.0

# For names that are numerous and hardly ever change: storage policies, and types of volumes. With the shorter lifetime
# an hourly run would look up each of them again.
_LONG_LIFETIME_SECONDS = 12 * 3600.0
_MIN_LIFETIME_FRACTION = 0.5

# Of nothing, in any service.
_NO_ID = "00000000-0000-0000-0000-000000000000"


class _LongLivedCache(cache.TTLCache[str | None]):
    """Caches names longer than missing ones, for random lifetimes, so that they do not all expire in the same run."""

    def __init__(
        self, load: Callable[[str], str | None], lifetime: float, long_lifetime: float, clock: Callable[[], float]
    ) -> None:
        super().__init__(load, lifetime, clock=clock)
        self._long_lifetime = long_lifetime

    def lifetime(self, value: str | None) -> float:
        if value is None:
            return super().lifetime(value)
        return self._long_lifetime * random.uniform(_MIN_LIFETIME_FRACTION, 1)  # noqa: S311 - no secret


class _WatchedLookup:
    """A look-up that detects outages: of a service that does not even say that what does not exist does not exist."""

    def __init__(self, look_up: Callable[[str], str | None], nothing: str, outages: outage.OutageDetector) -> None:
        self._look_up = look_up
        self._nothing = nothing
        self._outages = outages

    def __call__(self, key: str) -> str | None:
        with self._outages.watch(lambda: self._look_up(self._nothing)):
            return self._look_up(key)


def cloud_lookups(
    cloud: connection.Connection,
    lifetime: float = LIFETIME_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    long_lifetime: float = _LONG_LIFETIME_SECONDS,
    stop: threading.Event | None = None,
    patience: float = outage.PATIENCE_SECONDS,
) -> lookups.Lookups:
    """Look-ups in the cloud, with caches.

    Their ``get`` raises LookupUnavailable if a service gave no usable answer, and ServiceOutage if it answers nothing.

    :param lifetime: seconds for the names of flavors and volume types, and for missing names.
    :param long_lifetime: maximum seconds for storage policies and types of volumes; the minimum is half of it.
    :param stop: ends the waiting for a service that does not answer.
    :param patience: seconds of that.
    """
    compute, block_storage, object_store = (
        client.ServiceClient(cloud, name, exceptions.LookupUnavailable)
        for name in ("compute", "block_storage", "object_store")
    )
    volume_types = cinder.CinderVolumeTypes(block_storage, lifetime, clock)

    def watched(
        service: str, look_up: Callable[[str], str | None], nothing: str = _NO_ID
    ) -> Callable[[str], str | None]:
        if stop is None:
            return look_up
        outages = outage.OutageDetector(service, exceptions.LookupUnavailable, stop, patience)
        return _WatchedLookup(look_up, nothing, outages)

    flavor = watched("compute (flavors)", functools.partial(nova.flavor_name, compute))
    volume_type = watched("block_storage (volume types)", volume_types.name)
    type_of_volume = watched("block_storage (volumes)", functools.partial(cinder.type_of_volume, block_storage))
    storage_policy = watched(
        "object_store (containers)", swift.SwiftContainers(object_store).storage_policy, f"{_NO_ID}/none"
    )
    return lookups.Lookups(
        flavors=cache.TTLCache(flavor, lifetime, clock=clock),
        volume_types=cache.TTLCache(volume_type, lifetime, clock=clock),
        types_of_volumes=_LongLivedCache(type_of_volume, lifetime, long_lifetime, clock),
        container_policies=_LongLivedCache(storage_policy, lifetime, long_lifetime, clock),
    )
