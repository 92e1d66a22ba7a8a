# SPDX-License-Identifier: Apache-2.0
"""Queries of the metering API as a tree of conditions, the same for the simple and the complex syntax.

A condition on time restricts the times of a series; every other condition holds for the whole series or not at all.
So a condition evaluates to a set of times, once for a series rather than once for a sample.
"""

import dataclasses
import functools
import operator
import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Protocol

from distil.sandbox.query import intervals
from distil.sandbox.query.intervals import IntervalSet


class Queryable(Protocol):
    """What a query is evaluated for: a series, or one injected sample."""

    def field_value(self, field: str) -> Any:
        """Return the value of a field, or None without one."""


class ParsedQuery(Protocol):
    """A condition on samples."""

    def matching_times(self, record: Queryable) -> IntervalSet:
        """Return the times at which the condition holds."""

    def possible_values(self, field: str) -> frozenset[Any] | None:
        """Return the values of a field that the condition may match, or None if it does not restrict the field."""


@dataclasses.dataclass(frozen=True)
class TimeCondition:
    """A condition on the timestamp."""

    times: IntervalSet

    def matching_times(self, record: Queryable) -> IntervalSet:
        return self.times

    def possible_values(self, field: str) -> frozenset[Any] | None:
        return None


def _matches(value: str, pattern: str) -> bool:
    return re.search(pattern, value) is not None


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=~": _matches,
    "in": lambda value, values: value in values,
}


@dataclasses.dataclass(frozen=True)
class FieldCondition:
    """A condition on a field other than the timestamp.

    :param value: a frozenset for the operator ``in``.
    """

    operator: str
    field: str
    value: Any

    def matching_times(self, record: Queryable) -> IntervalSet:
        value = record.field_value(self.field)
        if not isinstance(value, str) or not isinstance(self.value, str | frozenset):
            return intervals.NEVER
        return intervals.ALWAYS if _OPERATORS[self.operator](value, self.value) else intervals.NEVER

    def possible_values(self, field: str) -> frozenset[Any] | None:
        if field != self.field or self.operator not in ("=", "in"):
            return None
        return self.value if isinstance(self.value, frozenset) else frozenset((self.value,))


@dataclasses.dataclass(frozen=True)
class And:
    """All conditions hold. Without conditions it always holds."""

    conditions: tuple[ParsedQuery, ...]

    def matching_times(self, record: Queryable) -> IntervalSet:
        times = intervals.ALWAYS
        for condition in self.conditions:
            times &= condition.matching_times(record)
            if not times:
                break
        return times

    def possible_values(self, field: str) -> frozenset[Any] | None:
        sets = [values for part in self.conditions if (values := part.possible_values(field)) is not None]
        return functools.reduce(frozenset.intersection, sets) if sets else None


@dataclasses.dataclass(frozen=True)
class Or:
    """At least one condition holds."""

    conditions: tuple[ParsedQuery, ...]

    def matching_times(self, record: Queryable) -> IntervalSet:
        return functools.reduce(operator.or_, (condition.matching_times(record) for condition in self.conditions))

    def possible_values(self, field: str) -> frozenset[Any] | None:
        sets = [condition.possible_values(field) for condition in self.conditions]
        known = [values for values in sets if values is not None]
        return frozenset().union(*known) if len(known) == len(sets) else None


@dataclasses.dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    condition: ParsedQuery

    def matching_times(self, record: Queryable) -> IntervalSet:
        return ~self.condition.matching_times(record)

    def possible_values(self, field: str) -> frozenset[Any] | None:
        return None
