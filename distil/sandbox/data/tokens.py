# SPDX-License-Identifier: Apache-2.0
"""The tokens that Keystone has issued."""

import datetime
import secrets
import threading
from typing import NamedTuple


class IssuedToken(NamedTuple):
    """A token with its times of issue and expiry."""

    secret: str
    issued_at: datetime.datetime
    expires_at: datetime.datetime


class Tokens:
    """Issues and validates tokens.

    :param lifetime: of a token, in seconds.
    """

    def __init__(self, lifetime: float) -> None:
        self._lifetime = datetime.timedelta(seconds=lifetime)
        self._expiries: dict[str, datetime.datetime] = {}
        self._lock = threading.Lock()

    def issue(self) -> IssuedToken:
        now = datetime.datetime.now(datetime.UTC)
        token = IssuedToken(secrets.token_urlsafe(32), now, now + self._lifetime)
        with self._lock:
            unexpired = {secret: expiry for secret, expiry in self._expiries.items() if expiry > now}
            self._expiries = unexpired | {token.secret: token.expires_at}
        return token

    def is_valid(self, secret: str | None) -> bool:
        with self._lock:
            expiry = self._expiries.get(secret or "")
        return expiry is not None and expiry > datetime.datetime.now(datetime.UTC)

    def revoke(self) -> None:
        """Revoke all tokens issued so far."""
        with self._lock:
            self._expiries = {}
