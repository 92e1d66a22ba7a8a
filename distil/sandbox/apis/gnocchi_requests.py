# SPDX-License-Identifier: Apache-2.0
"""What Gnocchi's API reads from requests, and the errors that it answers."""

import datetime
import math
from typing import Any

from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.query import attribute_filter

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "true", "on", "y", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "off", "n", "no"), False),
}


class GnocchiError(Exception):
    """The API rejects a request.

    :param description: a text, or an object with ``cause`` and further keys.
    """

    def __init__(self, status: int, description: Any) -> None:
        super().__init__(status, description)
        self.status = status
        self.description = description


def invalid_input(reason: str) -> GnocchiError:
    """Return the error for a body that does not match the schema."""
    return GnocchiError(400, {"cause": "Invalid input", "reason": reason, "detail": []})


def parse_body(request: HTTPRequest) -> Any:
    """Return the decoded body.

    :raises GnocchiError: the body is not JSON.
    """
    if (request.headers.get("Content-Type") or "").partition(";")[0] != "application/json":
        raise GnocchiError(415, "")
    try:
        return request.json()
    except ValueError as error:
        description = {"cause": "Unable to decode body", "reason": str(error), "detail": []}
        raise GnocchiError(400, description) from error


def parse_limit(request: HTTPRequest, maximum: int) -> int:
    """Return the number of rows on a page.

    :raises GnocchiError: the limit is not a positive number.
    """
    text = request.argument("limit")
    if text is None:
        return maximum
    try:
        limit = int(text)
    except ValueError as error:
        raise _invalid_limit("expected int") from error
    if limit < 1:
        raise _invalid_limit("value must be at least 1")
    return min(limit, maximum)


def parse_boolean(request: HTTPRequest, name: str, default: str) -> bool:
    """Return a boolean argument.

    :raises GnocchiError: the argument is not a boolean.
    """
    text = request.argument(name) or default
    if text.lower() not in _BOOLEANS:
        raise GnocchiError(400, f"Unable to parse `{name}': Unrecognized value '{text}'")
    return _BOOLEANS[text.lower()]


def parse_time(request: HTTPRequest, name: str) -> datetime.datetime | None:
    """Return an argument that is a time, or None without one.

    :raises GnocchiError: the argument is not a time.
    """
    text = request.argument(name)
    if text is None:
        return None
    try:
        return attribute_filter.to_time(text)
    except (ValueError, OverflowError) as error:
        raise _invalid_argument(name, "Must be a datetime or a timestamp") from error


def parse_granularity(request: HTTPRequest) -> float | None:
    """Return the granularity in seconds, or None without one.

    :raises GnocchiError: the granularity is not a positive number of seconds.
    """
    text = request.argument("granularity")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError as error:
        raise _invalid_argument("granularity", "Unable to parse timespan") from error
    if not 0 < seconds < math.inf:
        raise _invalid_argument("granularity", "Timespan must be positive")
    return seconds


def _invalid_limit(reason: str) -> GnocchiError:
    reason = f"{reason} for dictionary value @ data['limit']"
    return GnocchiError(400, {"cause": "Argument value error", "reason": reason})


def _invalid_argument(name: str, reason: str) -> GnocchiError:
    return GnocchiError(400, {"cause": "Argument value error", "detail": name, "reason": reason})
