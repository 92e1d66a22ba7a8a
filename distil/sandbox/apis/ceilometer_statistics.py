# SPDX-License-Identifier: Apache-2.0
"""Ceilometer's statistics of a meter: how many samples there are, by project and period."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.data.sample_store import SampleStore
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.query import intervals
from distil.sandbox.query import parser
from distil.sandbox.query.parser import InvalidQuery
from distil.sandbox.query.parser import SimpleCondition

ARGUMENTS = ("groupby", "period", "aggregate.func")

_SECOND_US = 1_000_000


class _Group(NamedTuple):
    """What a row of the response counts.

    :param number: of the period, from the first one on.
    """

    number: int
    project_id: str | None
    unit: str


class Statistics:
    """The statistics that a request asks for.

    :raises InvalidQuery: Ceilometer rejects the request, or the sandbox does not support it.
    """

    def __init__(self, request: HTTPRequest, conditions: Sequence[SimpleCondition]) -> None:
        self._query = parser.parse_simple(conditions)
        self._start_us = _start(conditions)
        self._is_grouped = _is_grouped(request.argument("groupby"))
        self._period_us = _period(request.argument("period")) * _SECOND_US
        if request.argument("aggregate.func") != "count":
            raise InvalidQuery("The sandbox only supports the aggregate count")

    def rows(self, store: SampleStore) -> Iterable[Mapping[str, Any]]:
        """Return a row for each group that has samples, the oldest period first."""
        groups: defaultdict[_Group, list[int]] = defaultdict(list)
        matches = list(store.matches(self._query))
        start_us = min((time_us for time_us, _ in matches), default=0) if self._start_us is None else self._start_us
        for time_us, source in matches:
            number = (time_us - start_us) // self._period_us if self._period_us else 0
            project_id = source.field_value("project_id") if self._is_grouped else None
            groups[_Group(number, project_id, source.field_value("unit"))].append(time_us)
        for group, times_us in sorted(groups.items(), key=lambda item: item[0].number):
            yield self._row(group, times_us, start_us + group.number * self._period_us)

    def _row(self, group: _Group, times_us: Sequence[int], start_us: int) -> Mapping[str, Any]:
        first, last = min(times_us), max(times_us)
        start, end = (start_us, start_us + self._period_us) if self._period_us else (first, last)
        return {
            "count": len(times_us),
            "aggregate": {"count": float(len(times_us))},
            "duration": (last - first) / _SECOND_US,
            "duration_start": _timestamp(first),
            "duration_end": _timestamp(last),
            "period": self._period_us // _SECOND_US,
            "period_start": _timestamp(start),
            "period_end": _timestamp(end),
            "groupby": {"project_id": group.project_id} if self._is_grouped else None,
            "unit": group.unit,
        }


def _start(conditions: Iterable[SimpleCondition]) -> int | None:
    """Where the first period starts; None: at the oldest sample."""
    values = [value for field, operator, value in conditions if field == "timestamp" and operator in ("ge", "gt")]
    return intervals.parse_ignoring_zone(values[-1]) if values and values[-1] else None


def _is_grouped(field: str | None) -> bool:
    if field not in (None, "project_id"):
        raise InvalidQuery(f"Unknown argument: \"set([u'{field}'])\": Invalid groupby fields")
    return field is not None


def _period(value: str | None) -> int:
    try:
        period = int(value or 0)
    except ValueError as error:
        text = f"Invalid input for field/attribute period. Value: '{value}'. unable to convert to int"
        raise InvalidQuery(text) from error
    if period < 0:
        raise InvalidQuery("Period must be positive.")
    return period


def _timestamp(time_us: int) -> str:
    return intervals.from_microseconds(time_us).replace(tzinfo=None).isoformat()
