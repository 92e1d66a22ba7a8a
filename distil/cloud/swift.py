# SPDX-License-Identifier: Apache-2.0
"""Containers, from Swift."""

from distil.cloud import client

# Swift says it of every container. An answer of somebody else's does not say that there is no policy.
_SWIFTS = "X-Container-Object-Count"


class SwiftContainers:
    """Asks about any project's container: the catalog names the account of the session's own project."""

    def __init__(self, object_store: client.ServiceClient) -> None:
        self._object_store = object_store

    def storage_policy(self, resource_id: str) -> str | None:
        """The storage policy of ``<project id>/<container>``; None where there is no such container, or it has none.

        :raises LookupUnavailable: Swift gave no answer.
        """
        project_id, _, container = resource_id.partition("/")
        account, name = client.quote_segment(project_id), client.quote_segment(container)
        if account is None or name is None:
            return None
        url = f"{self._accounts()}{account}/{name}"
        headers = self._object_store.head(url)
        if headers is None:
            return None
        if _SWIFTS not in headers:
            raise self._object_store.failure(
                f"object_store HEAD {url}: the answer has no {_SWIFTS}, so it is not Swift's"
            )
        return headers.get("X-Storage-Policy") or None

    def _accounts(self) -> str:
        """The endpoint up to the project: ``https://.../v1/AUTH_``."""
        endpoint = self._object_store.endpoint().rstrip("/")
        own = self._object_store.own_project()
        if not own or not endpoint.endswith(own):
            raise self._object_store.failure(
                f"object_store endpoint: {endpoint} does not end in the id of the session's own project ({own}), so"
                " that no other project's account can be derived from it"
            )
        return endpoint.removesuffix(own)
