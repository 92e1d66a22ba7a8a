# SPDX-License-Identifier: Apache-2.0
"""The tokens that Keystone issued."""

import datetime
import secrets
import threading


class Tokens:
    """:param lifetime: of a token, in seconds."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = datetime.timedelta(seconds=lifetime)
        self._expiries: dict[str, datetime.datetime] = {}
        self._lock = threading.Lock()

    def issue(self) -> tuple[str, datetime.datetime, datetime.datetime]:
        """A new token, when it was issued and when it expires."""
        now = datetime.datetime.now(datetime.UTC)
        token, expiry = secrets.token_urlsafe(32), now + self._lifetime
        with self._lock:
            self._expiries = {known: end for known, end in self._expiries.items() if end > now} | {token: expiry}
        return token, now, expiry

    def is_valid(self, token: str | None) -> bool:
        with self._lock:
            expiry = self._expiries.get(token or "")
        return expiry is not None and expiry > datetime.datetime.now(datetime.UTC)

    def revoke(self) -> None:
        """No token that was issued so far is valid any more."""
        with self._lock:
            self._expiries = {}
