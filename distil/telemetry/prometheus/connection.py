# SPDX-License-Identifier: Apache-2.0
"""How Prometheus is reached and authenticated at, where that is not through Keystone."""

import base64
import os
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session

from distil import exceptions

# Longer ones do not fit into the headers that servers accept.
_MAX_TOKEN_CHARS = 64 * 1024


class Authentication(plugin.BaseAuthPlugin):
    """Names the service's URL, and adds headers to its requests.

    :param url: without a trailing slash.
    :param headers: of each request.
    :param bearer_token_file: read for each request, because tokens are renewed; None: there is no token.
    """

    def __init__(self, url: str, headers: Mapping[str, str], bearer_token_file: str | None) -> None:
        super().__init__()
        self._url = url
        self._headers = headers
        self._bearer_token_file = bearer_token_file

    def get_endpoint(self, session: ks_session.Session, **_: Any) -> str:
        return self._url

    def get_headers(self, session: ks_session.Session) -> dict[str, str]:
        """:raises TelemetryError: the token's file cannot be used."""
        headers = dict(self._headers)
        if self._bearer_token_file:
            headers["Authorization"] = f"Bearer {read_token(self._bearer_token_file)}"
        return headers


def basic(username: str, password: str) -> str:
    """The header Authorization for basic authentication."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def read_token(path: str) -> str:
    """:raises TelemetryError: the file cannot be used."""
    try:
        with open(path, encoding="utf-8", opener=_open_without_waiting) as file:
            token = file.read(_MAX_TOKEN_CHARS).strip()
    except OSError as error:
        reason = f"[prometheus] bearer_token_file: {path} cannot be read: {error.strerror}"
        raise exceptions.TelemetryError(reason, affects_all=True) from error
    except UnicodeDecodeError as error:
        raise exceptions.TelemetryError(_no_token(path), affects_all=True) from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise exceptions.TelemetryError(_no_token(path), affects_all=True)
    return token


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file, also a FIFO that has no writer, for which a request would wait without end."""
    return os.open(path, flags | os.O_NONBLOCK)


def _no_token(path: str) -> str:
    return f"[prometheus] bearer_token_file: {path} must contain a token and nothing else"
