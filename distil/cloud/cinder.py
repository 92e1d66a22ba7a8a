# SPDX-License-Identifier: Apache-2.0
"""Volume types and volumes, from Cinder."""

from collections.abc import Callable
from collections.abc import Mapping

from distil.cloud import cache
from distil.cloud import client
from distil.cloud import pagination
from distil.cloud import response

_PRIVATE_TOO = {"is_public": "None"}  # Cinder's way to ask for public and private types

# The list of volume types is cached as a whole, under one key.
_ALL_TYPES = "all"


class CinderVolumeTypes:
    """The names of volume types by id or name, from a list that is cached for ``lifetime`` seconds.

    A type that the list lacks may be newer than the list, so the list is loaded again before the type is reported as
    unknown.
    """

    def __init__(self, block_storage: client.ServiceClient, lifetime: float, clock: Callable[[], float]) -> None:
        self._block_storage = block_storage
        self._names: cache.TTLCache[Mapping[str, str]] = cache.TTLCache(self._list, lifetime, clock=clock)

    def name(self, id_or_name: str) -> str | None:
        """The name of a volume type; None if it does not exist. An id wins over a name.

        :raises LookupUnavailable: Cinder gave no usable answer.
        """
        names = self._names.get(_ALL_TYPES)
        if id_or_name not in names:
            names = self._names.refresh(_ALL_TYPES)
        return names.get(id_or_name)

    def _list(self, _key: str) -> Mapping[str, str]:
        types = pagination.list_all(self._block_storage, "types", "volume_types", _PRIVATE_TOO)
        by_id = {volume_type.required_str("id"): volume_type.required_str("name") for volume_type in types}
        return {name: name for name in by_id.values()} | by_id


def type_of_volume(block_storage: client.ServiceClient, volume_id: str) -> str | None:
    """The name of the type of any project's volume; None if the volume does not exist or has no type."""
    found = volume(block_storage, volume_id)
    return None if found is None else found.nullable_str("volume_type") or None


def volume(block_storage: client.ServiceClient, volume_id: str) -> response.JSONObject | None:
    """Any project's volume; None if it does not exist.

    :raises LookupUnavailable: Cinder gave no usable answer.
    """
    found = block_storage.get("volumes", volume_id)
    if found is None:
        return None
    properties = found.object("volume")
    properties.required_str("id")  # an object without id is not a volume: its type is unknown, not unset
    return properties
