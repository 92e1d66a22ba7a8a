# SPDX-License-Identifier: Apache-2.0
"""Numbers as telemetry services write them."""

import decimal
from decimal import Decimal

from distil import exceptions
from distil import model

QUANTUM = Decimal(1).scaleb(-model.SCALE)

# Far below the column's 28 digits before the point: no multiple or sum of volumes that fit can overflow it.
LIMIT = Decimal(10) ** 18


class Missing:
    """The type of :data:`MISSING`, the volume of a sample that has none; null is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def number(value: object, name: str) -> Decimal | None:
    """A number, or text that holds one, as a Decimal; None for null.

    :param name: what the number is, for the reason.
    :raises SampleRejected: it is missing, no number, or not finite.
    """
    if value is None:
        return None
    if value is MISSING:
        raise exceptions.SampleRejected(f"{name} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal) or "_" in str(value):
        raise exceptions.SampleRejected(f"{name} {value!r} is no number")
    try:
        result = Decimal(str(value))
    except decimal.InvalidOperation:
        raise exceptions.SampleRejected(f"{name} {value!r} is no number") from None
    if not result.is_finite():
        raise exceptions.SampleRejected(f"{name} {value!r} is not finite")
    return result


def quantity(value: object, name: str) -> Decimal | None:
    """A number that can be billed.

    :raises SampleRejected: as :func:`number`, and where it is negative or too large.
    """
    result = number(value, name)
    if result is not None and result < 0:
        raise exceptions.SampleRejected(f"{name} {value!r} is negative")
    if result is not None and result >= LIMIT:
        raise exceptions.SampleRejected(f"{name} {value!r} is beyond 10 ** 18, more than can be stored")
    return result


def split(whole: Decimal, parts: int) -> list[Decimal]:
    """The whole in parts that can be stored, as equal as they can be while their sum is the whole."""
    part = (whole / parts).quantize(QUANTUM, decimal.ROUND_DOWN)
    return [part] * (parts - 1) + [whole - part * (parts - 1)]
