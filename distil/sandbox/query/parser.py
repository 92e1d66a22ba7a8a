# SPDX-License-Identifier: Apache-2.0
"""Parses queries: ``q.field``, ``q.op`` and ``q.value`` of the simple API, JSON of the complex one."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.query import intervals
from distil.sandbox.query.conditions import And
from distil.sandbox.query.conditions import FieldCondition
from distil.sandbox.query.conditions import Not
from distil.sandbox.query.conditions import Or
from distil.sandbox.query.conditions import ParsedQuery
from distil.sandbox.query.conditions import TimeCondition

_SIMPLE_OPERATORS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_SIMPLE_ALIASES = {"user": "user_id", "project": "project_id", "resource": "resource_id"}
_SIMPLE_FIELDS = frozenset(("meter", "user_id", "project_id", "resource_id", "source"))

_ALIASES = {
    **_SIMPLE_ALIASES,
    "counter_name": "meter",
    "counter_type": "type",
    "counter_unit": "unit",
    "counter_volume": "volume",
}
_FIELDS = _SIMPLE_FIELDS - {"source"} | {"type", "unit"}
# Ceilometer supports these. The sandbox does not: they differ from sample to sample, so that a series has no value.
_UNSUPPORTED_FIELDS = frozenset(("volume", "recorded_at", "message_id", "message_signature"))
_OPERATORS = {"=<": "<=", "=>": ">=", **{name: name for name in ("=", "!=", "<", "<=", ">", ">=", "=~", "in")}}
_MIN_OPERANDS = 2


class InvalidQuery(ValueError):
    """The API rejects a query; the message becomes its ``faultstring``.

    :param status: 400, or a higher one where Ceilometer itself fails on the query.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class SimpleCondition(NamedTuple):
    """One condition of the simple API.

    :param operator: ``eq``, ``lt``, ``le``, ``gt`` or ``ge``.
    """

    field: str
    operator: str
    value: str


class SortKey(NamedTuple):
    """One key of ``orderby``."""

    field: str
    descending: bool


def parse_simple(conditions: Sequence[SimpleCondition], *, allow_timestamps: bool = True) -> ParsedQuery:
    """Parse a query of the simple API.

    Of several conditions on one field the last one counts. A condition without a value overrides earlier ones and
    matches everything.

    :raises InvalidQuery: Ceilometer rejects the query.
    """
    _check_first_timestamp(conditions, allow_timestamps)
    parsed: dict[str, ParsedQuery] = {}
    for field, operator, value in conditions:
        if field == "timestamp":
            if operator in _SIMPLE_OPERATORS:
                parsed[f"timestamp {operator[0]}"] = _simple_bound(_SIMPLE_OPERATORS[operator], value)
            continue
        name = _simple_field(field)
        if operator != "eq":
            raise _invalid_input("op", operator, f"unimplemented operator for {field}")
        parsed[name] = FieldCondition("=", name, value) if value or name.startswith("metadata.") else And(())
    return And(tuple(parsed.values()))


def parse_complex(text: str) -> ParsedQuery:
    """Parse a filter of the complex API.

    :param text: JSON.
    :raises InvalidQuery: Ceilometer rejects the filter.
    """
    try:
        return _condition(json.loads(text))
    except InvalidQuery:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidQuery(f"Filter expression not valid: {error}") from error


def parse_order(text: str) -> list[SortKey]:
    """Parse ``orderby`` of the complex API.

    :param text: JSON.
    :raises InvalidQuery: Ceilometer rejects the order.
    """
    try:
        pairs = [_single_item(entry) for entry in _array(json.loads(text))]
    except (ValueError, TypeError) as error:
        raise InvalidQuery(f"Order-by expression not valid: {error}") from error
    for field, direction in pairs:
        if _ALIASES.get(field, field) not in _FIELDS | {"timestamp"} or str(direction).lower() not in ("asc", "desc"):
            raise InvalidQuery(f"Order-by expression not valid: {field} {direction}")
    return [SortKey(_ALIASES.get(field, field), str(direction).lower() == "desc") for field, direction in pairs]


def _check_first_timestamp(conditions: Sequence[SimpleCondition], allowed: bool) -> None:
    """Ceilometer validates the operator of the first condition on time only, and ignores later invalid ones."""
    operator = next((condition.operator for condition in conditions if condition.field == "timestamp"), None)
    if operator is None:
        return
    if not allowed:
        raise InvalidQuery('Unknown argument: "timestamp": not valid for this resource')
    if operator not in _SIMPLE_OPERATORS:
        raise _invalid_input("op", operator, "unimplemented operator for timestamp")


def _simple_bound(operator: str, value: str) -> ParsedQuery:
    if not value:
        return And(())
    try:
        time_us = intervals.parse_ignoring_zone(value)
    except ValueError as error:
        raise _invalid_input("timestamp", value, "invalid timestamp format") from error
    return TimeCondition(intervals.satisfying(operator, time_us))


def _simple_field(field: str) -> str:
    name = _SIMPLE_ALIASES.get(field, field)
    if name.startswith("resource_metadata."):
        name = name.removeprefix("resource_")
    if name in _SIMPLE_FIELDS or name.startswith("metadata."):
        return name
    valid = sorted(_SIMPLE_FIELDS)
    raise InvalidQuery(f'Unknown argument: "{field}": unrecognized field in query: valid keys: {valid}')


def _condition(node: Any) -> ParsedQuery:
    operator, operand = _single_item(node)
    operator = operator.lower()
    if operator == "not":
        return Not(_condition(operand))
    if operator in ("and", "or"):
        if not isinstance(operand, list) or len(operand) < _MIN_OPERANDS:
            raise ValueError(f"{operand!r} is too short")
        conditions = tuple(_condition(part) for part in operand)
        return And(conditions) if operator == "and" else Or(conditions)
    return _comparison(operator, *_single_item(operand))


def _comparison(operator: str, field: str, value: Any) -> ParsedQuery:
    if operator not in _OPERATORS:
        raise ValueError(f"{operator!r} is not an operator")
    operator = _OPERATORS[operator]
    name = _ALIASES.get(field, field)
    if name == "timestamp":
        return _time_condition(operator, value)
    _check_field(field, name)
    if operator != "in":
        return FieldCondition(operator, name, _scalar(value))
    if name.startswith("metadata."):
        raise InvalidQuery("Metadata query with in operator is not implemented", status=501)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is too short")
    return FieldCondition("in", name, frozenset(map(_scalar, value)))


def _check_field(field: str, name: str) -> None:
    if name == "source":
        raise InvalidQuery("type object 'FullSample' has no attribute 'source'", status=500)
    if name in _UNSUPPORTED_FIELDS:
        raise InvalidQuery(f"The sandbox does not support conditions on {field}")
    if name not in _FIELDS and not name.startswith("metadata."):
        raise ValueError(f"{field!r} does not match any of the regexes")


def _time_condition(operator: str, value: Any) -> TimeCondition:
    try:
        time_us = intervals.parse_ignoring_zone(value)
    except (ValueError, TypeError) as error:
        raise InvalidQuery(f"Failed to parse the timestamp value {value}") from error
    return TimeCondition(intervals.satisfying(operator, time_us))


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not of type 'array'")
    return value


def _single_item(node: Any) -> tuple[str, Any]:
    if not isinstance(node, Mapping) or len(node) != 1:
        raise ValueError(f"{node!r} is not valid under any of the given schemas")
    return next(iter(node.items()))


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not valid under any of the given schemas")  # noqa: TRY004
    return value


def _invalid_input(field: str, value: object, reason: str) -> InvalidQuery:
    return InvalidQuery(f"Invalid input for field/attribute {field}. Value: '{value}'. {reason}")
