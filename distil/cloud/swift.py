# SPDX-License-Identifier: Apache-2.0
"""Containers, from Swift."""

import urllib.parse

from distil.cloud import client
from distil.redaction import redact

# Swift sends it for every container. A response without it, such as a proxy's, says nothing about the policy.
_CONTAINER_HEADER = "X-Container-Object-Count"

_MAX_NAME_BYTES = 256


class SwiftContainers:
    """Looks up containers of any project. The catalog has only the account of the session's project."""

    def __init__(self, object_store: client.ServiceClient) -> None:
        self._object_store = object_store

    def storage_policy(self, resource_id: str) -> str | None:
        """The storage policy of ``<project id>/<container>``; None if the container does not exist or has no policy.

        :raises LookupUnavailable: Swift gave no usable answer.
        """
        project_id, _, container = resource_id.partition("/")
        account, name = quote_name(project_id), quote_name(container)
        if account is None or name is None:
            return None
        url = f"{self._account_prefix()}{account}/{name}"
        headers = self._object_store.head(url)
        if headers is None:
            return None
        if _CONTAINER_HEADER not in headers:
            raise self._object_store.error_class(
                f"the response has no {_CONTAINER_HEADER}, so it is not from Swift",
                request=redact(f"object_store HEAD {url}"),
            )
        return headers.get("X-Storage-Policy") or None

    def _account_prefix(self) -> str:
        """The endpoint up to the project id: ``https://.../v1/AUTH_``."""
        endpoint = self._object_store.endpoint().rstrip("/")
        project_id = self._object_store.session_project_id()
        if not project_id or not endpoint.endswith(project_id):
            raise self._object_store.error_class(
                f"object_store endpoint: {redact(endpoint)} does not end in the id of the session's project"
                f" ({project_id}), so the accounts of other projects cannot be derived from it"
            )
        return endpoint.removesuffix(project_id)


def quote_name(name: str) -> str | None:
    """A container's name quoted as one segment of a URL's path; None if no container can have this name.

    Such a name is empty, longer than 256 bytes, contains NUL or a slash, is not valid Unicode, or is removed by HTTP
    clients (``.`` and ``..``).
    """
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return None
    if name in ("", ".", "..") or "\0" in name or "/" in name or len(encoded) > _MAX_NAME_BYTES:
        return None
    return urllib.parse.quote(encoded, safe="")
