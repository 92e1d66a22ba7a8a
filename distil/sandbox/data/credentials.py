# SPDX-License-Identifier: Apache-2.0
"""The one user that the cloud knows: an administrator whose role is on the services' own project."""

import dataclasses
import hmac
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data.projects import SERVICE_PROJECT

_DOMAIN = {"id": "default", "name": "Default"}


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What a client must send for a token."""

    username: str = "distil"
    password: str = "sandbox"  # noqa: S105

    def user_document(self) -> dict[str, Any]:
        return {"id": self.username, "name": self.username, "domain": _DOMAIN, "password_expires_at": None}

    @staticmethod
    def project_document(service_id: str) -> dict[str, Any]:
        return {"id": service_id, "name": SERVICE_PROJECT, "domain": _DOMAIN}

    def accepts(self, user: Mapping[str, Any], scope: Mapping[str, Any] | None, service_id: str) -> bool:
        """Whether a token may be issued.

        :raises KeyError: something that must be sent is not there.
        """
        named = _names(user, self.username, self.username)
        right = hmac.compare_digest(user["password"].encode(), self.password.encode())
        return named and right and (scope is None or _names(scope["project"], service_id, SERVICE_PROJECT))


def _names(reference: Mapping[str, Any], identity: str, name: str) -> bool:
    if "id" in reference:
        return bool(reference["id"] == identity)
    domain = reference["domain"]
    return bool(reference["name"] == name) and ("default" in (domain.get("id"), str(domain.get("name")).lower()))
