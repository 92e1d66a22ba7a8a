# SPDX-License-Identifier: Apache-2.0
"""Containers, from Swift."""

from distil.cloud import client

# Swift sends it for every container. A response without it, such as a proxy's, says nothing about the policy.
_CONTAINER_HEADER = "X-Container-Object-Count"


class SwiftContainers:
    """Looks up containers of any project. The catalog has only the account of the session's project."""

    def __init__(self, object_store: client.ServiceClient) -> None:
        self._object_store = object_store

    def storage_policy(self, resource_id: str) -> str | None:
        """The storage policy of ``<project id>/<container>``; None if the container does not exist or has no policy.

        :raises LookupUnavailable: Swift gave no usable answer.
        """
        project_id, _, container = resource_id.partition("/")
        account, name = client.quote_segment(project_id), client.quote_segment(container)
        if account is None or name is None:
            return None
        url = f"{self._account_prefix()}{account}/{name}"
        headers = self._object_store.head(url)
        if headers is None:
            return None
        if _CONTAINER_HEADER not in headers:
            raise self._object_store.error_class(
                f"object_store HEAD {url}: the response has no {_CONTAINER_HEADER}, so it is not from Swift"
            )
        return headers.get("X-Storage-Policy") or None

    def _account_prefix(self) -> str:
        """The endpoint up to the project id: ``https://.../v1/AUTH_``."""
        endpoint = self._object_store.endpoint().rstrip("/")
        project_id = self._object_store.session_project_id()
        if not project_id or not endpoint.endswith(project_id):
            raise self._object_store.error_class(
                f"object_store endpoint: {endpoint} does not end in the id of the session's project ({project_id}), so"
                " the accounts of other projects cannot be derived from it"
            )
        return endpoint.removesuffix(project_id)
