# SPDX-License-Identifier: Apache-2.0
"""Parses numbers in the notations of telemetry services."""

import decimal
import functools
import math
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil import model
from distil import text

QUANTUM = Decimal(1).scaleb(-model.SCALE)
# Digits for the exact product and sum of all accepted volumes: nothing is rounded before it is stored.
ARITHMETIC = decimal.Context(prec=80)

# Far below the 28 integer digits of the database's column: no multiple or sum of accepted volumes overflows it.
_MAX_VOLUME = Decimal(10) ** 18


class _Missing:
    """The type of :data:`MISSING`, which stands for the volume of a sample without one; null is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


def to_decimal(value: Any) -> Any:
    """A finite number as a Decimal; any other value unchanged."""
    if type(value) is float:
        return _float(value) if math.isfinite(value) else value
    return Decimal(value) if type(value) is int else value


def parse_decimal(value: object, name: str) -> Decimal | None:
    """Parse a number or numeric text as a Decimal; null gives None.

    :param name: name of the value, for the reason.
    :raises SampleRejected: the value is missing, not a number, or not finite.
    """
    if type(value) is Decimal and value.is_finite():
        return value
    if value is None:
        return None
    if value is MISSING:
        raise _rejected(name, "is missing")
    result = _decimal(value)
    if result is None:
        raise _rejected(name, f"{text.short_repr(value)} is not a number")
    if not result.is_finite():
        raise _rejected(name, f"{text.short_repr(value)} is not finite")
    return result


def parse_volume(value: object, name: str) -> Decimal | None:
    """Parse a number that can be billed; null gives None.

    :raises SampleRejected: the value is missing, not a finite number, negative, or too large.
    """
    result = parse_decimal(value, name)
    if result is not None and result < 0:
        raise _rejected(name, f"{_short_repr(value)} is negative")
    if result is not None and result >= _MAX_VOLUME:
        raise _rejected(name, f"{_short_repr(value)} exceeds the maximum of 10 ** 18")
    return result


def round_volume(volume: Decimal) -> Decimal:
    """The volume as it is stored."""
    return volume.quantize(QUANTUM, context=ARITHMETIC)


def split(whole: Decimal, parts: int) -> list[Decimal]:
    """Split a multiple of QUANTUM exactly into multiples of QUANTUM that differ by at most one QUANTUM."""
    quanta, larger = divmod(int(whole / QUANTUM), parts)
    return [(quanta + 1) * QUANTUM] * larger + [quanta * QUANTUM] * (parts - larger)


def _rejected(name: str, problem: str) -> exceptions.SampleRejected:
    kind = exceptions.RejectionReason.METADATA if name.startswith("metadata.") else exceptions.RejectionReason.VOLUME
    return exceptions.SampleRejected(f"{name} {problem}", kind)


def _short_repr(value: object) -> str:
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


# Cached: few distinct values make up most volumes.
@functools.lru_cache(maxsize=4096)
def _float(value: float) -> Decimal:
    return Decimal(repr(value))
