# SPDX-License-Identifier: Apache-2.0
"""Text that every database can store, from arbitrary values."""

import datetime
import json
import math
import re
import reprlib
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil import model

# In characters.
MAX_INFO_VALUE = 255
MAX_REJECTION_REASON = 500

# Marks at the end of truncated text: of values and reasons that rating makes, and of text that a column limits. Stored
# data contains both.
CUT = "... (cut)"
COLUMN_CUT = " [cut]"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_TENTHS_BELOW_SECONDS = 10
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 60


def short_repr(value: object) -> str:
    """A value as messages show it: short, however long or deeply nested it is."""
    try:
        return _REPR.repr(value)
    except ValueError:  # an integer with more digits than Python converts
        return f"a huge {type(value).__name__}"


def is_storable(value: str) -> bool:
    """Whether the text holds neither NUL, which PostgreSQL refuses, nor lone surrogates, which UTF-8 cannot encode."""
    # Most texts are ASCII, which takes a fraction of the time of a search.
    return "\0" not in value if value.isascii() else not _UNSTORABLE.search(value)


def is_template(value: object) -> bool:
    """Whether the value is text with one ``%s`` in it, and ``%%`` for each percent sign."""
    if not isinstance(value, str) or not is_storable(value):
        return False
    placeholders = value.replace("%%", "")
    return placeholders.count("%") == 1 and "%s" in placeholders


def pluralize(number: int, singular: str, plural: str = "") -> str:
    """The number with its noun: ``1 window``, ``2 windows``.

    :param plural: default: the singular with an s.
    """
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def validate_service(name: str) -> None:
    """Check the name of a usage entry's service.

    :raises SampleRejected: the name cannot be stored.
    """
    if not name or len(name) > model.MAX_SERVICE or not is_storable(name):
        reason = f"service {short_repr(name)} is empty, not storable, or longer than {model.MAX_SERVICE} characters"
        raise exceptions.SampleRejected(reason, exceptions.RejectionReason.SERVICE)


def plain_number(value: Decimal) -> str:
    """All digits of a number, without an exponent or trailing zeros."""
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def truncate(value: str, length: int, mark: str = CUT) -> str:
    """The text, or as much of it as fits into ``length`` characters together with the mark."""
    return value if len(value) <= length else value[: length - len(mark)] + mark


def sanitize(value: str, length: int) -> str:
    """The text with each unstorable character replaced by ``?``, truncated to ``length`` characters."""
    value = value if is_storable(value) else value.encode(errors="replace").decode().replace("\0", "?")
    return truncate(value, length)


def escape_unstorable(value: str) -> str:
    r"""The text with each unstorable character escaped: ``\x00``, ``\ud800``."""
    return value.encode(errors="backslashreplace").decode().replace("\0", r"\x00")


def fit_column(value: str, length: int) -> str:
    """The text with each unstorable character escaped, truncated to a column's ``length`` characters."""
    return truncate(escape_unstorable(value), length, COLUMN_CUT)


def canonical_json(value: object) -> str:
    """JSON with sorted keys; a short repr of values that JSON cannot represent. Equal values give equal text."""
    try:
        return json.dumps(value, sort_keys=True, default=str, allow_nan=False, ensure_ascii=False)
    except (RecursionError, TypeError, ValueError):
        return short_repr(value)


def to_info_value(value: Any) -> Any:
    """A value of a resource's info as it is stored: booleans, numbers and short text unchanged, others as text."""
    if isinstance(value, int) and abs(value) < 10**MAX_INFO_VALUE:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return sanitize(value if isinstance(value, str) else canonical_json(value), MAX_INFO_VALUE)


def format_timestamp(time: datetime.datetime) -> str:
    """Formats a time that is in UTC."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def format_duration(duration: datetime.timedelta) -> str:
    """Formats a duration in its two largest units: ``1 d 2 h``; below 10 s with tenths: ``0.2 s``."""
    seconds = max(0.0, duration.total_seconds())
    if seconds < _TENTHS_BELOW_SECONDS:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, length in _UNITS:
        number, rest = divmod(rest, length)
        if number or parts:
            parts.append((number, unit))
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number)
