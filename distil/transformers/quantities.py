# SPDX-License-Identifier: Apache-2.0
"""Numbers as telemetry services write them."""

import decimal
import functools
import math
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil import model
from distil import text

QUANTUM = Decimal(1).scaleb(-model.SCALE)

# Far below the column's 28 digits before the point: no multiple or sum of volumes that fit can overflow it.
MAX_VOLUME = Decimal(10) ** 18


class Missing:
    """The type of :data:`MISSING`, the volume of a sample that has none; null is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def to_decimal(value: Any) -> Any:
    """A finite number as a Decimal; everything else as it is."""
    if type(value) is float:
        return _float(value) if math.isfinite(value) else value
    return Decimal(value) if type(value) is int else value


def parse_decimal(value: object, name: str) -> Decimal | None:
    """A number, or text that holds one, as a Decimal; None for null.

    :param name: what the number is, for the reason.
    :raises SampleRejected: it is missing, no number, or not finite.
    """
    if type(value) is Decimal and value.is_finite():
        return value
    if value is None:
        return None
    if value is MISSING:
        raise _rejected(name, "is missing")
    result = _decimal(value)
    if result is None:
        raise _rejected(name, f"{text.short_repr(value)} is no number")
    if not result.is_finite():
        raise _rejected(name, f"{text.short_repr(value)} is not finite")
    return result


def parse_volume(value: object, name: str) -> Decimal | None:
    """A number that can be billed.

    :raises SampleRejected: as :func:`number`, and where it is negative or too large.
    """
    result = parse_decimal(value, name)
    if result is not None and result < 0:
        raise _rejected(name, f"{_shown(value)} is negative")
    if result is not None and result >= MAX_VOLUME:
        raise _rejected(name, f"{_shown(value)} is beyond 10 ** 18, more than can be stored")
    return result


def split(whole: Decimal, parts: int) -> list[Decimal]:
    """The whole, a multiple of QUANTUM, in multiples that differ by one QUANTUM at most and sum to it."""
    quanta, larger = divmod(int(whole / QUANTUM), parts)
    return [(quanta + 1) * QUANTUM] * larger + [quanta * QUANTUM] * (parts - larger)


def _rejected(name: str, problem: str) -> exceptions.SampleRejected:
    flaw = exceptions.RejectionReason.METADATA if name.startswith("metadata.") else exceptions.RejectionReason.VOLUME
    return exceptions.SampleRejected(f"{name} {problem}", flaw)


def _shown(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else text.short_repr(value)


def _decimal(value: object) -> Decimal | None:
    match value:
        case bool():
            return None
        case int() | Decimal():
            return Decimal(value)
        case float():
            return _float(value)
        case str() if "_" not in value:
            try:
                return Decimal(value)
            except decimal.InvalidOperation:
                return None
    return None


# Most volumes are the same few.
@functools.lru_cache(maxsize=4096)
def _float(value: float) -> Decimal:
    return Decimal(repr(value))
