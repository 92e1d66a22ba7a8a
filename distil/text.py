# SPDX-License-Identifier: Apache-2.0
"""Text that every database can hold, from values that may be anything."""

import datetime
import json
import math
import re
import reprlib
from typing import Any

from distil import exceptions
from distil import model

MAX_INFO_VALUE = 255
MAX_REASON = 500
CUT = "... (cut)"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_TENTHS_BELOW_SECONDS = 10
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 60


def short_repr(value: object) -> str:
    """How a message shows a value: in a few words, however long and deep it is."""
    try:
        return _SHOWN.repr(value)
    except ValueError:  # an integer of more digits than Python likes to write
        return f"a huge {type(value).__name__}"


def is_storable(value: str) -> bool:
    """Whether the text has neither NUL, which PostgreSQL refuses, nor lone surrogates, which are no UTF-8."""
    return not _UNSTORABLE.search(value)


def escape_control(value: str) -> str:
    """The text with control characters escaped, so that it says nothing to a terminal and is one line."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value)


def pluralize(number: int, one: str, more: str = "") -> str:
    """The number with its noun: ``1 window``, ``2 windows``.

    :param more: the plural, where it is not ``one`` with an s.
    """
    return f"{number} {one if number == 1 else more or one + 's'}"


def service_name(name: str) -> str:
    """The name as it came.

    :raises SampleRejected: it cannot be stored as a usage entry's service.
    """
    if not name or len(name) > model.MAX_SERVICE or not is_storable(name):
        reason = f"service {short_repr(name)} is empty, no text, or longer than {model.MAX_SERVICE} characters"
        raise exceptions.SampleRejected(reason, exceptions.RejectionReason.SERVICE)
    return name


def sanitize(value: str, length: int) -> str:
    """The text with what cannot be stored replaced, and cut to ``length`` characters with a mark that it was."""
    value = value if is_storable(value) else value.encode(errors="replace").decode().replace("\0", "?")
    return value if len(value) <= length else value[: length - len(CUT)] + CUT


def canonical_json(value: object) -> str:
    """JSON, or a short form of what JSON cannot hold: the same text for the same value."""
    try:
        return json.dumps(value, sort_keys=True, default=str, allow_nan=False, ensure_ascii=False)
    except (RecursionError, TypeError, ValueError):
        return short_repr(value)


def to_info_value(value: Any) -> Any:
    """A value of a resource's info as it is stored: booleans, numbers and short text as they are, all else as text."""
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
