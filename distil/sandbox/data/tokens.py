# SPDX-License-Identifier: Apache-2.0
"""The tokens that Keystone has issued."""

import datetime
import secrets
import threading
from typing import NamedTuple


class IssuedToken(NamedTuple):
    """A token with its times of issue and expiry, and the roles of its user."""

    secret: str
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    roles: tuple[str, ...]


class Tokens:
    """Issues and validates tokens.

    :param lifetime: of a token, in seconds.
    """

    def __init__(self, lifetime: float) -> None:
        self._lifetime = datetime.timedelta(seconds=lifetime)
        self._issued: dict[str, IssuedToken] = {}
        self._lock = threading.Lock()

    def issue(self, roles: tuple[str, ...]) -> IssuedToken:
        now = datetime.datetime.now(datetime.UTC)
        token = IssuedToken(secrets.token_urlsafe(32), now, now + self._lifetime, roles)
        with self._lock:
            unexpired = {secret: issued for secret, issued in self._issued.items() if issued.expires_at > now}
            self._issued = unexpired | {token.secret: token}
        return token

    def find(self, secret: str | None) -> IssuedToken | None:
        """Return a valid token, or None without one."""
        with self._lock:
            token = self._issued.get(secret or "")
        return token if token is not None and token.expires_at > datetime.datetime.now(datetime.UTC) else None

    def secrets(self) -> frozenset[str]:
        """Return the tokens issued so far, without those that had expired or were revoked."""
        with self._lock:
            return frozenset(self._issued)

    def revoke(self) -> None:
        """Revoke all tokens issued so far."""
        with self._lock:
            self._issued = {}
