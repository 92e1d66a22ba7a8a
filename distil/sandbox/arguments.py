# SPDX-License-Identifier: Apache-2.0
"""Types of command-line arguments: a value that cannot be used is refused before anything starts."""

import argparse
import datetime
import math
from collections.abc import Callable
from collections.abc import Collection

MAX_PROJECTS = 1_000_000
MAX_RESOURCES = 1_000_000
MAX_PORT = 65_535


def whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    """A whole number from ``minimum`` to ``maximum``, both included."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not minimum <= int(text) <= maximum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {minimum} to {maximum}")
        return int(text)

    return parse


def seconds(text: str) -> float:
    """A finite number of seconds, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def latency(services: Collection[str]) -> Callable[[str], tuple[str, float]]:
    """A service and its latency in seconds, as in ``identity=0.5``."""

    def parse(text: str) -> tuple[str, float]:
        service, _, value = text.partition("=")
        if service not in services:
            raise argparse.ArgumentTypeError(f"{service!r} is not one of {', '.join(services)}")
        return service, seconds(value)

    return parse


def moment(text: str) -> datetime.datetime:
    """An ISO 8601 time, in UTC where it names no zone."""
    try:
        value = datetime.datetime.fromisoformat(text)
        return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)
    except (OverflowError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time") from None
