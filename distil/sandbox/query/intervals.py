# SPDX-License-Identifier: Apache-2.0
"""Sets of moments: sorted, disjoint, half-open intervals of microseconds since 1970."""

import datetime

Periods = tuple[tuple[int, int], ...]

BEGINNING = -(1 << 62)
END = 1 << 62
NEVER: Periods = ()
ALWAYS: Periods = ((BEGINNING, END),)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def microseconds(moment: datetime.datetime) -> int:
    """:param moment: aware."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(instant: int) -> datetime.datetime:
    return _EPOCH + instant * _MICROSECOND


def naive_microseconds(text: str) -> int:
    """What Ceilometer makes of a time in a question: a zone is dropped, not converted.

    :raises ValueError: it is no time.
    """
    return microseconds(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC))


def compared(operator: str, instant: int) -> Periods | None:
    """The moments that are ``operator`` (as in ``<``) an instant; None where the operator is none for times."""
    return {
        "<": ((BEGINNING, instant),),
        "<=": ((BEGINNING, instant + 1),),
        ">": ((instant + 1, END),),
        ">=": ((instant, END),),
        "=": ((instant, instant + 1),),
        "!=": ((BEGINNING, instant), (instant + 1, END)),
    }.get(operator)


def complement(periods: Periods) -> Periods:
    edges = [BEGINNING, *(edge for period in periods for edge in period), END]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((start, end) for start, end in pairs if start < end)


def intersection(left: Periods, right: Periods) -> Periods:
    if left == ALWAYS:
        return right
    overlaps = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return tuple(sorted((start, end) for start, end in overlaps if start < end))


def union(left: Periods, right: Periods) -> Periods:
    return complement(intersection(complement(left), complement(right)))


def contains(periods: Periods, instant: int) -> bool:
    return any(start <= instant < end for start, end in periods)
