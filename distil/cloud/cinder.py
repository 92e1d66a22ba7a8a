# SPDX-License-Identifier: Apache-2.0
"""Volume types, from Cinder."""

import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping

from distil.cloud import cache
from distil.cloud import client

_ALL: dict[str, str] = {"is_public": "None"}  # Cinder's word for "private ones too"


class CinderVolumeTypes:
    """The name of a volume type by its id or name, out of one list that is fetched once in ``lifetime`` seconds.

    A type that the list lacks may be younger than the list, so it is fetched again before the answer is None.
    """

    def __init__(self, block_storage: client.ServiceClient, lifetime: float, clock: Callable[[], float]) -> None:
        self._block_storage = block_storage
        self._names: cache.TTLCache[Mapping[str, str]] = cache.TTLCache(lambda _: self._list(), lifetime, clock=clock)

    def name(self, id_or_name: str) -> str | None:
        """An id wins over a name.

        :raises LookupUnavailable: Cinder gave no answer.
        """
        known = self._names.get("")
        if id_or_name not in known:
            known = self._names.refresh("")
        return known.get(id_or_name)

    def _list(self) -> Mapping[str, str]:
        by_id: dict[str, str] = {}
        params: dict[str, str] | None = _ALL
        while params is not None:
            page = self._block_storage.get("types", params=params)
            if page is None:
                raise self._block_storage.failure("block_storage GET /types: HTTP 404")
            types = page.objects("volume_types")
            fresh = {volume_type.required_str("id"): volume_type.required_str("name") for volume_type in types}
            params = None if fresh.keys() <= by_id.keys() else _next(page.document)
            by_id |= fresh
        return {name: name for name in by_id.values()} | by_id


def _next(document: Mapping[str, object]) -> dict[str, str] | None:
    """The query of the next page, which Cinder names in a list of links."""
    links = document.get("volume_type_links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("rel") == "next":
            return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(str(link.get("href"))).query))
    return None


def type_of_volume(block_storage: client.ServiceClient, volume_id: str) -> str | None:
    """The name of a volume's type, whatever its project; None where Cinder knows no such volume or it has no type."""
    found = block_storage.get("volumes", volume_id)
    return None if found is None else found.object("volume").optional_str("volume_type") or None
