# SPDX-License-Identifier: Apache-2.0
"""Questions to the metering API, as one tree, whichever way they were asked.

A condition on time restricts the moments of a series; any other one holds for the whole series or for none of it. So
the answer to a condition is a set of moments, and a series is asked once, not once a sample.
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


class Queryable(Protocol):
    """What is asked: a series, or one sample that was written by hand."""

    def field_value(self, field: str) -> Any:
        """The value of a field; None where it has none."""


class ParsedQuery(Protocol):
    """A condition on samples."""

    def matching_times(self, record: Queryable) -> intervals.Intervals:
        """When the condition holds for the subject."""

    def possible_values(self, field: str) -> frozenset[Any] | None:
        """The values of a field without which the condition cannot hold; None where any may do."""


@dataclasses.dataclass(frozen=True)
class TimeCondition:
    """A condition on the timestamp."""

    times: intervals.Intervals

    def matching_times(self, record: Queryable) -> intervals.Intervals:
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
    "in": lambda value, wanted: value in wanted,
}


@dataclasses.dataclass(frozen=True)
class FieldCondition:
    """A condition on any other field.

    :param value: a frozenset for the operator ``in``.
    """

    operator: str
    field: str
    value: Any

    def matching_times(self, record: Queryable) -> intervals.Intervals:
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
    """All parts hold; of no parts, always."""

    parts: tuple[ParsedQuery, ...]

    def matching_times(self, record: Queryable) -> intervals.Intervals:
        found = intervals.ALWAYS
        for part in self.parts:
            found = intervals.intersection(found, part.matching_times(record))
            if not found:
                break
        return found

    def possible_values(self, field: str) -> frozenset[Any] | None:
        sets = [found for part in self.parts if (found := part.possible_values(field)) is not None]
        return functools.reduce(frozenset.intersection, sets) if sets else None


@dataclasses.dataclass(frozen=True)
class Or:
    """At least one of the parts holds."""

    parts: tuple[ParsedQuery, ...]

    def matching_times(self, record: Queryable) -> intervals.Intervals:
        return functools.reduce(intervals.union, (part.matching_times(record) for part in self.parts))

    def possible_values(self, field: str) -> frozenset[Any] | None:
        sets = [part.possible_values(field) for part in self.parts]
        known = [found for found in sets if found is not None]
        return frozenset().union(*known) if len(known) == len(sets) else None


@dataclasses.dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: ParsedQuery

    def matching_times(self, record: Queryable) -> intervals.Intervals:
        return intervals.complement(self.part.matching_times(record))

    def possible_values(self, field: str) -> frozenset[Any] | None:
        return None
