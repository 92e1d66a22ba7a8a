# SPDX-License-Identifier: Apache-2.0
"""The secrets in a request, which the response may quote."""

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

import requests

_HEADERS = ("X-Auth-Token", "X-Subject-Token", "X-Service-Token", "Cookie")
_SECRET_KEY = re.compile("password|secret|passcode|assertion|token", re.IGNORECASE)


def sent_secrets(request: requests.PreparedRequest) -> Iterator[str]:
    """Tokens and, if the request asks for a token, passwords."""
    yield from (value for name in _HEADERS if (value := _text(request.headers.get(name))))
    authorization = _text(request.headers.get("Authorization"))
    if authorization:
        yield from _credentials(authorization)
    if request.body and "X-Auth-Token" not in request.headers:
        yield from _body_secrets(_text(request.body))


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _credentials(authorization: str) -> Iterator[str]:
    """The credentials as they are sent and, of the scheme Basic, the password."""
    scheme, _, credentials = authorization.partition(" ")
    yield credentials or scheme
    if scheme.lower() == "basic":
        try:
            yield base64.b64decode(credentials).decode(errors="replace").partition(":")[2]
        except binascii.Error:
            return


def _body_secrets(body: str) -> Iterator[str]:
    """Secrets in JSON, as Keystone expects, or in a form, as identity providers do."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = dict(urllib.parse.parse_qsl(body))
    yield from _secret_values(document)


def _secret_values(document: Any, parent: str = "") -> Iterator[str]:
    """:param parent: the key of the document."""
    if isinstance(document, list):
        for member in document:
            yield from _secret_values(member, parent)
    elif isinstance(document, dict):
        for key, value in document.items():
            if isinstance(value, str) and (_SECRET_KEY.search(key) or (parent, key) == ("token", "id")):
                yield value
            yield from _secret_values(value, key)
