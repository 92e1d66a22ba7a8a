# SPDX-License-Identifier: Apache-2.0
"""Keeps secrets out of text that comes from outside: a service may quote what was sent to it.

The secrets are those that the thread has sent or received last, and the passwords in URLs.
"""

import base64
import contextvars
import html
import json
import re
import urllib.parse
from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

MASK = "***"

# Tokens are renewed, and the old ones stay valid for a while.
_MAX_SECRETS = 8
# A shorter secret may be a part of other words, which stay readable.
_MIN_LENGTH_IN_WORDS = 8
# A shorter secret is not divided into lines, and its encodings may be a part of other text.
_MIN_TOKEN_LENGTH = 24

_PASSWORD_IN_URL = re.compile(
    r"""(?P<start>(?://|\\/\\/) [^\s/?#@:"'<>]* :) [^\s/?#"'<>]* (?P<end>@)
    | (?P<quoted_start>%2F%2F (?:(?!%2F|%3A|%40)[^\s"'<>&])* %3A) (?:(?!%2F|%3F|%23)[^\s"'<>&])* (?P<quoted_end>%40)""",
    re.VERBOSE | re.IGNORECASE,
)

_PERCENT = re.compile("%[0-9A-F]{2}")


class _Secrets(NamedTuple):
    """:ivar values: newest first.
    :ivar pattern: matches each of them in every encoding.
    """

    values: tuple[str, ...]
    pattern: re.Pattern[str] | None


_NO_SECRETS = _Secrets((), None)
_SECRETS = contextvars.ContextVar[_Secrets]("secrets")


def remember(secrets: Iterable[str]) -> None:
    """Have this thread's texts redacted of these secrets from now on."""
    known = _SECRETS.get(_NO_SECRETS).values
    new = [secret for secret in secrets if secret and secret not in known]
    if new:
        values = (*new, *known)[:_MAX_SECRETS]
        _SECRETS.set(_Secrets(values, _pattern(values)))


def redact(text: str) -> str:
    """The text with each secret replaced by ``***``."""
    pattern = _SECRETS.get(_NO_SECRETS).pattern
    if pattern is not None:
        text = pattern.sub(MASK, text)
    if "//" in text or "\\/" in text or "%2" in text:
        text = _PASSWORD_IN_URL.sub(_mask_password, text)
    return text


def _mask_password(match: re.Match[str]) -> str:
    start, end = match["start"] or match["quoted_start"], match["end"] or match["quoted_end"]
    return f"{start}{MASK}{end}"


def _pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    # The longest first: one encoding may begin like another.
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    return re.compile("|".join(forms))


def _forms(secret: str) -> Iterator[str]:
    """A regular expression for each encoding of a secret: as it is, and in a URL, JSON, Python, HTML, or base64."""
    if len(secret) >= _MIN_TOKEN_LENGTH:
        for form in (secret, *_parts_of_base64(secret.encode(errors="replace"))):
            yield r"\s*".join(map(re.escape, form))
    for form in (
        secret,
        urllib.parse.quote(secret, safe="", errors="replace"),
        urllib.parse.quote(secret, errors="replace"),
        urllib.parse.quote(secret, safe=" +", errors="replace"),  # as SQLAlchemy does
        urllib.parse.quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
    ):
        pattern = _PERCENT.sub(r"(?i:\g<0>)", re.escape(form))
        yield pattern if len(form) >= _MIN_LENGTH_IN_WORDS else rf"(?<!\w){pattern}(?!\w)"


def _parts_of_base64(secret: bytes) -> Iterator[str]:
    """What base64 of any text with the secret contains: it depends on where the secret begins in groups of three."""
    for offset, first in enumerate((0, 2, 3)):
        last = (offset + len(secret)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(offset) + secret).decode()[first:last]
