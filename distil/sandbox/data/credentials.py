# SPDX-License-Identifier: Apache-2.0
"""The cloud's users, who have roles on the service project."""

import dataclasses
import hmac
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data.projects import SERVICE_PROJECT

_DOMAIN = {"id": "default", "name": "Default"}


@dataclasses.dataclass(frozen=True)
class Credentials:
    """Name, password and roles of a user."""

    username: str = "distil"
    password: str = "sandbox"  # noqa: S105
    roles: tuple[str, ...] = ("admin",)

    def user_document(self) -> dict[str, Any]:
        """Return the user as a token contains it."""
        return {"id": self.username, "name": self.username, "domain": _DOMAIN, "password_expires_at": None}

    @staticmethod
    def project_document(service_id: str) -> dict[str, Any]:
        """Return the service project as a token contains it."""
        return {"id": service_id, "name": SERVICE_PROJECT, "domain": _DOMAIN}

    def accepts(self, user: Mapping[str, Any], scope: Mapping[str, Any] | None, service_id: str) -> bool:
        """Whether a request for a token authenticates the user, with no scope or that of the service project.

        :raises KeyError: a required key is missing.
        """
        known = _refers_to(user, self.username, self.username)
        correct = hmac.compare_digest(user["password"].encode(), self.password.encode())
        return known and correct and (scope is None or _refers_to(scope["project"], service_id, SERVICE_PROJECT))


def _refers_to(reference: Mapping[str, Any], identifier: str, name: str) -> bool:
    """Whether a reference by ID, or by name and domain, is to this user or project."""
    if "id" in reference:
        return bool(reference["id"] == identifier)
    domain = reference["domain"]
    return bool(reference["name"] == name) and ("default" in (domain.get("id"), str(domain.get("name")).lower()))
