# SPDX-License-Identifier: Apache-2.0
"""How questions are written: ``q.field``, ``q.op``, ``q.value`` of the simple API, JSON of the complex one."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil.sandbox.query import intervals
from distil.sandbox.query.conditions import And
from distil.sandbox.query.conditions import FieldCondition
from distil.sandbox.query.conditions import Not
from distil.sandbox.query.conditions import Or
from distil.sandbox.query.conditions import ParsedQuery
from distil.sandbox.query.conditions import TimeCondition

_SIMPLE_OPERATORS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_SIMPLE_NAMES = {"user": "user_id", "project": "project_id", "resource": "resource_id"}
_SIMPLE_FIELDS = frozenset(("meter", "user_id", "project_id", "resource_id", "source"))

_NAMES = {
    **_SIMPLE_NAMES,
    "counter_name": "meter",
    "counter_type": "type",
    "counter_unit": "unit",
    "counter_volume": "volume",
}
_FIELDS = _SIMPLE_FIELDS - {"source"} | {"type", "unit"}
# Ceilometer knows these too. They differ from sample to sample, which nothing has needed so far.
_FIELDS_UNANSWERED = frozenset(("volume", "recorded_at", "message_id", "message_signature"))
_OPERATORS = {"=<": "<=", "=>": ">=", **{name: name for name in ("=", "!=", "<", "<=", ">", ">=", "=~", "in")}}
_FEWEST_PARTS = 2


class InvalidQuery(ValueError):
    """The API refuses the question; the message is its ``faultstring``.

    :param status: 400, or above where Ceilometer itself stumbles over the question.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def parse_simple(conditions: Sequence[tuple[str, str, str]], with_timestamps: bool = True) -> ParsedQuery:
    """The question that (field, operator, value) triples ask.

    Of two conditions on one field the last one counts. One without a value counts, but excludes nothing.

    :raises BadQuestion: as Ceilometer refuses it.
    """
    _check_first_timestamp(conditions, with_timestamps)
    kept: dict[str, ParsedQuery] = {}
    for field, operator, value in conditions:
        if field == "timestamp":
            if operator in _SIMPLE_OPERATORS:
                kept[f"timestamp {operator[0]}"] = _simple_bound(_SIMPLE_OPERATORS[operator], value)
            continue
        name = _simple_name(field)
        if operator != "eq":
            raise _invalid("op", operator, f"unimplemented operator for {field}")
        kept[name] = FieldCondition("=", name, value) if value or name.startswith("metadata.") else And(())
    return And(tuple(kept.values()))


def _simple_bound(operator: str, value: str) -> ParsedQuery:
    return _at_time(operator, value, _invalid_time) if value else And(())


def _check_first_timestamp(conditions: Sequence[tuple[str, str, str]], allowed: bool) -> None:
    """Ceilometer checks the operator of the first condition on time only; it passes over a bad one after that."""
    operator = next((operator for field, operator, _ in conditions if field == "timestamp"), None)
    if operator is None:
        return
    if not allowed:
        raise InvalidQuery('Unknown argument: "timestamp": not valid for this resource')
    if operator not in _SIMPLE_OPERATORS:
        raise _invalid("op", operator, "unimplemented operator for timestamp")


def _simple_name(field: str) -> str:
    name = _SIMPLE_NAMES.get(field, field)
    if name.startswith("resource_metadata."):
        name = name.removeprefix("resource_")
    if name in _SIMPLE_FIELDS or name.startswith("metadata."):
        return name
    raise InvalidQuery(
        f'Unknown argument: "{field}": unrecognized field in query: valid keys: {sorted(_SIMPLE_FIELDS)}'
    )


def parse_complex(text: str) -> ParsedQuery:
    """The question that a JSON filter asks.

    :raises BadQuestion: as Ceilometer refuses it.
    """
    try:
        return _node(json.loads(text))
    except InvalidQuery:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidQuery(f"Filter expression not valid: {error}") from error


def parse_order(text: str) -> list[tuple[str, bool]]:
    """The fields to order by and whether each of them descends.

    :raises BadQuestion: as Ceilometer refuses it.
    """
    try:
        pairs = [_only_item(entry) for entry in _list(json.loads(text))]
    except (ValueError, TypeError) as error:
        raise InvalidQuery(f"Order-by expression not valid: {error}") from error
    for field, direction in pairs:
        if _NAMES.get(field, field) not in _FIELDS | {"timestamp"} or str(direction).lower() not in ("asc", "desc"):
            raise InvalidQuery(f"Order-by expression not valid: {field} {direction}")
    return [(_NAMES.get(field, field), str(direction).lower() == "desc") for field, direction in pairs]


def _node(node: Any) -> ParsedQuery:
    operator, content = _only_item(node)
    operator = operator.lower()
    if operator == "not":
        return Not(_node(content))
    if operator in ("and", "or"):
        if not isinstance(content, list) or len(content) < _FEWEST_PARTS:
            raise ValueError(f"{content!r} is too short")
        parts = tuple(_node(part) for part in content)
        return And(parts) if operator == "and" else Or(parts)
    return _leaf(operator, *_only_item(content))


def _leaf(operator: str, field: str, value: Any) -> ParsedQuery:
    name = _NAMES.get(field, field)
    if operator not in _OPERATORS:
        raise ValueError(f"{operator!r} is no operator")
    operator = _OPERATORS[operator]
    if name == "timestamp":
        return _at_time(operator, value, lambda _: InvalidQuery(f"Failed to parse the timestamp value {value}"))
    if name == "source":
        raise InvalidQuery("type object 'FullSample' has no attribute 'source'", status=500)
    if name in _FIELDS_UNANSWERED:
        raise InvalidQuery(f"The sandbox cannot tell samples by {field}")
    if name not in _FIELDS and not name.startswith("metadata."):
        raise ValueError(f"{field!r} does not match any of the regexes")
    if operator != "in":
        return FieldCondition(operator, name, _scalar(value))
    if name.startswith("metadata."):
        raise InvalidQuery("Metadata query with in operator is not implemented", status=501)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is too short")
    return FieldCondition("in", name, frozenset(map(_scalar, value)))


def _at_time(operator: str, value: Any, problem: Any) -> ParsedQuery:
    try:
        wanted = intervals.satisfying(operator, intervals.parse_without_zone(value))
    except (ValueError, TypeError) as error:
        raise problem(value) from error
    if wanted is None:
        raise ValueError(f"{operator!r} is no operator for times")
    return TimeCondition(wanted)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not of type 'array'")
    return value


def _only_item(node: Any) -> tuple[str, Any]:
    if not isinstance(node, Mapping) or len(node) != 1:
        raise ValueError(f"{node!r} is not valid under any of the given schemas")
    return next(iter(node.items()))


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not valid under any of the given schemas")  # noqa: TRY004
    return value


def _invalid_time(value: object) -> InvalidQuery:
    return _invalid("timestamp", value, "invalid timestamp format")


def _invalid(field: str, value: object, reason: str) -> InvalidQuery:
    return InvalidQuery(f"Invalid input for field/attribute {field}. Value: '{value}'. {reason}")
