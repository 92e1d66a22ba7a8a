# SPDX-License-Identifier: Apache-2.0
"""Times as people read them."""

import datetime

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_FEW_SECONDS = 10


def format_timestamp(time: datetime.datetime) -> str:
    """A time in UTC."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def format_duration(time: datetime.timedelta) -> str:
    """How long something takes, in the two largest of its units."""
    seconds = max(0.0, time.total_seconds())
    if seconds < _FEW_SECONDS:
        return f"{seconds:.1f} s"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, length in _UNITS:
        number, left = divmod(left, length)
        if number or parts:
            parts.append((number, unit))
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number)
