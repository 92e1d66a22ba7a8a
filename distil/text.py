# SPDX-License-Identifier: Apache-2.0
"""Text that every database can hold."""

import json
from typing import Any

from distil import exceptions
from distil import model

MAX_INFO_VALUE = 255
CUT = "... (cut)"


def storable(value: str) -> bool:
    """Whether the text has neither NUL, which PostgreSQL refuses, nor lone surrogates, which are no UTF-8."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def service_name(name: str) -> str:
    """The name as it came.

    :raises SampleRejected: it can't be stored as a usage entry's service.
    """
    if not name or len(name) > model.MAX_SERVICE or not storable(name):
        raise exceptions.SampleRejected(f"service {name[:50]!r} is empty, no text, or longer than {model.MAX_SERVICE}")
    return name


def cleaned(value: str, length: int) -> str:
    """The text with what can't be stored replaced, and cut to ``length`` characters with a mark that it was."""
    value = value if storable(value) else value.encode(errors="replace").decode().replace("\0", "?")
    return value if len(value) <= length else value[: length - len(CUT)] + CUT


def bounded(value: Any) -> Any:
    """A value of a resource's info as it is stored: booleans, numbers and short text as they are, all else as text."""
    if isinstance(value, bool | int | float):
        return value
    return cleaned(value if isinstance(value, str) else json.dumps(value, default=str), MAX_INFO_VALUE)
