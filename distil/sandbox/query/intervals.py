# SPDX-License-Identifier: Apache-2.0
"""Sets of moments: sorted, disjoint, half-open intervals of microseconds since 1970."""

import datetime

Intervals = tuple[tuple[int, int], ...]

_MIN_US = -(1 << 62)
_MAX_US = 1 << 62
NEVER: Intervals = ()
ALWAYS: Intervals = ((_MIN_US, _MAX_US),)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def to_microseconds(moment: datetime.datetime) -> int:
    """:param moment: aware."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(time_us: int) -> datetime.datetime:
    return _EPOCH + time_us * _MICROSECOND


def parse_without_zone(text: str) -> int:
    """What Ceilometer makes of a time in a question: a zone is dropped, not converted.

    :raises ValueError: it is no time.
    """
    return to_microseconds(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC))


def satisfying(operator: str, time_us: int) -> Intervals | None:
    """The moments that are ``operator`` (as in ``<``) an instant; None where the operator is none for times."""
    return {
        "<": ((_MIN_US, time_us),),
        "<=": ((_MIN_US, time_us + 1),),
        ">": ((time_us + 1, _MAX_US),),
        ">=": ((time_us, _MAX_US),),
        "=": ((time_us, time_us + 1),),
        "!=": ((_MIN_US, time_us), (time_us + 1, _MAX_US)),
    }.get(operator)


def complement(periods: Intervals) -> Intervals:
    edges = [_MIN_US, *(edge for period in periods for edge in period), _MAX_US]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((start, end) for start, end in pairs if start < end)


def intersection(left: Intervals, right: Intervals) -> Intervals:
    if left == ALWAYS:
        return right
    overlaps = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return tuple(sorted((start, end) for start, end in overlaps if start < end))


def union(left: Intervals, right: Intervals) -> Intervals:
    return complement(intersection(complement(left), complement(right)))


def contains(periods: Intervals, time_us: int) -> bool:
    return any(start <= time_us < end for start, end in periods)
