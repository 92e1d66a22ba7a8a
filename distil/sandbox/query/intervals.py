# SPDX-License-Identifier: Apache-2.0
"""Sets of times as sorted, disjoint, half-open intervals, in microseconds since 1970."""

import dataclasses
import datetime

MIN_US = -(1 << 62)
MAX_US = 1 << 62
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


@dataclasses.dataclass(frozen=True, slots=True)
class IntervalSet:
    """A set of times.

    :param intervals: pairs of start (included) and end (excluded), in microseconds.
    """

    intervals: tuple[tuple[int, int], ...]

    @classmethod
    def between(cls, start: datetime.datetime, end: datetime.datetime) -> "IntervalSet":
        """Return [start, end) of two aware times."""
        return cls(((to_microseconds(start), to_microseconds(end)),))

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, time_us: int) -> bool:
        return any(start <= time_us < end for start, end in self.intervals)

    def __and__(self, other: "IntervalSet") -> "IntervalSet":
        if self is ALWAYS:
            return other
        overlaps = ((max(a, c), min(b, d)) for a, b in self.intervals for c, d in other.intervals)
        return IntervalSet(tuple(sorted((start, end) for start, end in overlaps if start < end)))

    def __or__(self, other: "IntervalSet") -> "IntervalSet":
        return ~(~self & ~other)

    def __invert__(self) -> "IntervalSet":
        edges = [MIN_US, *(edge for interval in self.intervals for edge in interval), MAX_US]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return IntervalSet(tuple((start, end) for start, end in pairs if start < end))


NEVER = IntervalSet(())
ALWAYS = IntervalSet(((MIN_US, MAX_US),))


def to_microseconds(time: datetime.datetime) -> int:
    """Convert an aware time."""
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(time_us: int) -> datetime.datetime:
    """Return an aware time in UTC."""
    return _EPOCH + time_us * _MICROSECOND


def parse_ignoring_zone(text: str) -> int:
    """Return the time in a query as Ceilometer parses it: a time zone is dropped, not converted.

    :raises ValueError: not an ISO 8601 time.
    """
    return to_microseconds(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC))


def satisfying(operator: str, time_us: int) -> IntervalSet:
    """Return the times that compare to a time as ``operator`` says, as in ``< time_us``.

    :raises ValueError: times do not support the operator.
    """
    if operator == "<":
        return IntervalSet(((MIN_US, time_us),))
    if operator == "<=":
        return IntervalSet(((MIN_US, time_us + 1),))
    if operator == "=":
        return IntervalSet(((time_us, time_us + 1),))
    if operator in (">", ">=", "!="):
        return ~satisfying({">": "<=", ">=": "<", "!=": "="}[operator], time_us)
    raise ValueError(f"{operator!r} is not an operator for times")
