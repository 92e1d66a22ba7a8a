# SPDX-License-Identifier: Apache-2.0
"""Gnocchi's filter language: a tree of conditions on the attributes of a resource, evaluated as SQL does.

A comparison with null is neither true nor false, and its negation is neither.
"""

import dataclasses
import datetime
import functools
import operator
import re
import uuid
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Protocol


class InvalidFilter(ValueError):
    """The API rejects a filter.

    :param invalid_input: whether the filter does not match the schema, so that the error has its parts.
    :param status: 400, or 500 where Gnocchi itself fails on the filter.
    """

    def __init__(self, message: str, *, invalid_input: bool = False, status: int = 400) -> None:
        super().__init__(message)
        self.invalid_input = invalid_input
        self.status = status


class AttributeFilter(Protocol):
    """A condition on a resource."""

    def evaluate(self, row: Mapping[str, Any]) -> bool | None:
        """Return whether the condition holds; None if it is unknown because of a null."""

    def possible_values(self, attribute: str) -> frozenset[Any] | None:
        """Return the values of an attribute that the condition may match, or None if it does not restrict them."""

    def lower_bound(self, attribute: str) -> Any:
        """Return a value that the attribute is not below wherever the condition holds, or None without one."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A comparison of an attribute with a value.

    :param value: a frozenset for ``in``, a compiled pattern for ``like``; None for null.
    """

    operator: str
    attribute: str
    value: Any

    def evaluate(self, row: Mapping[str, Any]) -> bool | None:
        actual = row[self.attribute]
        if self.value is None:
            return (actual is None) is (self.operator == "=")
        if actual is None:
            # Gnocchi adds "or is null" to this operator.
            return True if self.operator == "!=" else None
        return _COMPARISONS[self.operator](actual, self.value)

    def possible_values(self, attribute: str) -> frozenset[Any] | None:
        if attribute != self.attribute or self.operator not in ("=", "in"):
            return None
        return self.value if isinstance(self.value, frozenset) else frozenset((self.value,))

    def lower_bound(self, attribute: str) -> Any:
        return self.value if attribute == self.attribute and self.operator in (">", ">=") else None


@dataclasses.dataclass(frozen=True)
class And:
    """All conditions hold. Without conditions it always holds."""

    conditions: tuple[AttributeFilter, ...]

    def evaluate(self, row: Mapping[str, Any]) -> bool | None:
        unknown = False
        for condition in self.conditions:
            result = condition.evaluate(row)
            if result is False:
                return False
            unknown |= result is None
        return None if unknown else True

    def possible_values(self, attribute: str) -> frozenset[Any] | None:
        sets = [values for part in self.conditions if (values := part.possible_values(attribute)) is not None]
        return functools.reduce(frozenset.intersection, sets) if sets else None

    def lower_bound(self, attribute: str) -> Any:
        bounds = [bound for part in self.conditions if (bound := part.lower_bound(attribute)) is not None]
        return max(bounds, default=None)


@dataclasses.dataclass(frozen=True)
class Or:
    """At least one condition holds."""

    conditions: tuple[AttributeFilter, ...]

    def evaluate(self, row: Mapping[str, Any]) -> bool | None:
        results = [condition.evaluate(row) for condition in self.conditions]
        return True if True in results else None if None in results else False

    def possible_values(self, attribute: str) -> frozenset[Any] | None:
        sets = [condition.possible_values(attribute) for condition in self.conditions]
        known = [values for values in sets if values is not None]
        return frozenset().union(*known) if len(known) == len(sets) else None

    def lower_bound(self, attribute: str) -> Any:
        return None


@dataclasses.dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    condition: AttributeFilter

    def evaluate(self, row: Mapping[str, Any]) -> bool | None:
        result = self.condition.evaluate(row)
        return None if result is None else not result

    def possible_values(self, attribute: str) -> frozenset[Any] | None:
        return None

    def lower_bound(self, attribute: str) -> Any:
        return None


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda actual, values: actual in values,
    "like": lambda actual, pattern: pattern.fullmatch(actual) is not None,
}
_ALIASES = {
    **{name: name for name in _COMPARISONS},
    "==": "=",
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}

# Of the UUIDs that Gnocchi makes of IDs that are none.
_ID_NAMESPACE = uuid.UUID("0a7a15ff-aa13-4ac2-897c-9bdf30ce175b")

Converter = Callable[[Any], Any]
"""Converts a value of a filter to the type of the attribute, or raises ValueError or TypeError."""


class FilterParser:
    """Parses filters for one type of resources.

    :param converters: by attribute.
    """

    def __init__(self, resource_type: str, converters: Mapping[str, Converter]) -> None:
        self._resource_type = resource_type
        self._converters = converters

    def parse(self, tree: Any) -> AttributeFilter:
        """Parse a filter, decoded from JSON; an empty one matches everything.

        :raises InvalidFilter: Gnocchi rejects the filter.
        """
        if tree == {}:
            return And(())
        name, operand = _single_item(tree, "data")
        if name == "not":
            return Not(self.parse(operand))
        if name in ("and", "or"):
            if not isinstance(operand, list) or not operand:
                raise InvalidFilter(f"expected a list for dictionary value @ data['{name}']", invalid_input=True)
            conditions = tuple(self.parse(node) for node in operand)
            return And(conditions) if name == "and" else Or(conditions)
        if name not in _ALIASES:
            raise InvalidFilter(f"extra keys not allowed @ data['{name}']", invalid_input=True)
        return self._comparison(_ALIASES[name], *_single_item(operand, f"data['{name}']"))

    def _comparison(self, comparison: str, attribute: str, value: Any) -> Comparison:
        if attribute not in self._converters:
            raise InvalidFilter(f"Resource type {self._resource_type} has no {attribute} attribute")
        if comparison == "in" and (not isinstance(value, list) or not value):
            raise InvalidFilter("length of value must be at least 1", invalid_input=True)
        if value is None and comparison not in ("=", "!="):
            # SQLAlchemy refuses this.
            raise InvalidFilter("", status=500)
        try:
            return Comparison(comparison, attribute, _operand(comparison, value, self._converters[attribute]))
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidFilter(f"Invalid value: `{value}' for field `{attribute}'") from error


def _single_item(node: Any, place: str) -> tuple[str, Any]:
    if not isinstance(node, Mapping) or len(node) != 1:
        raise InvalidFilter(f"expected a dictionary with one key @ {place}", invalid_input=True)
    return next(iter(node.items()))


def _operand(comparison: str, value: Any, convert: Converter) -> Any:
    if comparison == "in":
        return frozenset(map(convert, value))
    if comparison == "like":
        return _like(value)
    return None if value is None else convert(value)


def _like(pattern: str) -> re.Pattern[str]:
    wildcards = {"%": ".*", "_": "."}
    return re.compile("".join(wildcards.get(part) or re.escape(part) for part in pattern), re.DOTALL)


def to_time(value: Any) -> datetime.datetime:
    """Convert seconds since 1970, or an ISO 8601 time that is in UTC where it names no zone.

    :raises ValueError: the value is neither.
    """
    try:
        return datetime.datetime.fromtimestamp(float(value), datetime.UTC)
    except ValueError:
        time = datetime.datetime.fromisoformat(value)
        return time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time.astimezone(datetime.UTC)


def to_uuid(value: Any) -> str:
    """Return the canonical form of a UUID, or the UUID that Gnocchi makes of another text."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return str(uuid.uuid5(_ID_NAMESPACE, str(value)))
