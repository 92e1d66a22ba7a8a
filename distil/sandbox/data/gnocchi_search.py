# SPDX-License-Identifier: Apache-2.0
"""Searches for resources, as Gnocchi's indexer does: filter, order, marker and limit."""

import dataclasses
import heapq
import itertools
import operator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.data import gnocchi_schema
from distil.sandbox.data.gnocchi_resources import GnocchiResource
from distil.sandbox.data.gnocchi_resources import GnocchiResources
from distil.sandbox.data.gnocchi_schema import ResourceKind
from distil.sandbox.query import attribute_filter
from distil.sandbox.query.attribute_filter import AttributeFilter
from distil.sandbox.query.attribute_filter import Converter
from distil.sandbox.query.attribute_filter import FilterParser

Row = dict[str, Any]

DEFAULT_SORTS = ("revision_start:asc", "started_at:asc")

_TEXTS = ("type", "creator", "user_id", "project_id", "original_resource_id")
_TIMES = ("started_at", "ended_at", "revision_start")
_CONVERTERS: Mapping[str, Converter] = {
    "string": str,
    "number": float,
    "uuid": attribute_filter.to_uuid,
    "datetime": attribute_filter.to_time,
}


class InvalidPagination(ValueError):
    """The marker or the order is invalid."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Invalid pagination: `{message}'")


class Page(NamedTuple):
    """What to return of the matching rows.

    :param sorts: attributes with a direction, as in ``id:asc``.
    :param marker: ID of the row after which the page starts, followed by ``@`` and its revision in a history.
    """

    limit: int
    sorts: Sequence[str] = DEFAULT_SORTS
    marker: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _SortValue:
    """A value to sort by; null comes first, as in MySQL."""

    value: Any
    descending: bool

    def __lt__(self, other: "_SortValue") -> bool:
        first, second = (other, self) if self.descending else (self, other)
        return (first.value is not None, first.value) < (second.value is not None, second.value)


class ResourceSearch:
    """Evaluates searches."""

    def __init__(self, resources: GnocchiResources) -> None:
        self._resources = resources

    def find(self, resource_type: str, tree: Any, page: Page, *, history: bool) -> list[Row]:
        """Return a page of the matching revisions; without the history, of the current ones.

        :param tree: the filter, decoded from JSON.
        :raises InvalidFilter: Gnocchi rejects the filter.
        :raises InvalidPagination: Gnocchi rejects order or marker.
        """
        condition = parse_filter(resource_type, tree, history=history)
        sorts = _parse_sorts(page.sorts, resource_type, history)
        rows = self._sorted(self._rows(resource_type, condition, history), sorts)
        if page.marker is not None:
            marker = _sort_key(self._marker_row(resource_type, page.marker, history), sorts)
            rows = itertools.dropwhile(lambda row: not marker < _sort_key(row, sorts), rows)
        return list(itertools.islice(rows, page.limit))

    def current(self, resource_type: str, tree: Any) -> Iterator[GnocchiResource]:
        """Return the resources whose current revision matches, sorted by ID.

        :raises InvalidFilter: Gnocchi rejects the filter.
        """
        condition = parse_filter(resource_type, tree, history=False)
        for resource in self._candidates(resource_type, condition):
            if any(condition.evaluate(row) for row in self._resources.revisions(resource)[-1:]):
                yield resource

    def _rows(self, resource_type: str, condition: AttributeFilter, history: bool) -> Iterator[Row]:
        """Return the matching rows, sorted by ID."""
        for resource in self._candidates(resource_type, condition):
            revisions = self._resources.revisions(resource)
            yield from (
                _projected(row, resource_type) for row in revisions[0 if history else -1 :] if condition.evaluate(row)
            )

    def _candidates(self, resource_type: str, condition: AttributeFilter) -> Iterator[GnocchiResource]:
        kinds = gnocchi_schema.kinds_of_type(resource_type)
        streams = (self._candidates_of_kind(kind, condition) for kind in kinds)
        return heapq.merge(*streams, key=operator.attrgetter("id"))

    def _candidates_of_kind(self, kind: ResourceKind, condition: AttributeFilter) -> Iterable[GnocchiResource]:
        identifiers = condition.possible_values("id")
        if identifiers is not None:
            return self._resources.find(kind, identifiers)
        project_ids = condition.possible_values("project_id")
        if project_ids is not None:
            return self._resources.of_projects(kind, project_ids)
        return self._resources.after(kind, condition.lower_bound("id") or "")

    def _sorted(self, rows: Iterator[Row], sorts: Sequence[tuple[str, bool]]) -> Iterator[Row]:
        if sorts[0] != ("id", False):
            yield from sorted(rows, key=lambda row: _sort_key(row, sorts))
            return
        for _, revisions in itertools.groupby(rows, operator.itemgetter("id")):
            yield from sorted(revisions, key=lambda row: _sort_key(row, sorts))

    def _marker_row(self, resource_type: str, marker: str, history: bool) -> Row:
        identifier, _, revision = marker.partition("@")
        for kind in gnocchi_schema.kinds_of_type(resource_type):
            for resource in self._resources.find(kind, [identifier]):
                for row in self._resources.revisions(resource):
                    if str(row["revision"]) == (revision if history else "-1"):
                        return row
        raise InvalidPagination(f"Invalid marker: `{marker}'")


def parse_filter(resource_type: str, tree: Any, *, history: bool) -> AttributeFilter:
    """Parse a filter for resources of a type.

    :raises InvalidFilter: Gnocchi rejects the filter.
    """
    return FilterParser(resource_type, _converters(resource_type, history)).parse(tree)


def _converters(resource_type: str, history: bool) -> dict[str, Converter]:
    # Without the history, revision_end is no column.
    times = (*_TIMES, "revision_end") if history else _TIMES
    attributes = gnocchi_schema.RESOURCE_TYPES[resource_type]
    return {
        "id": attribute_filter.to_uuid,
        **dict.fromkeys(_TEXTS, str),
        **dict.fromkeys(times, attribute_filter.to_time),
        **{name: _CONVERTERS[schema["type"]] for name, schema in attributes.items()},
    }


def _parse_sorts(sorts: Sequence[str], resource_type: str, history: bool) -> list[tuple[str, bool]]:
    """Return pairs of attribute and whether it is descending, which end with the row's key."""
    known = {*_converters(resource_type, history), "revision"}
    parsed = []
    for sort in sorts:
        attribute, _, direction = sort.partition(":")
        if attribute not in known:
            raise InvalidPagination(f"Sort key supplied is invalid: {attribute}")
        if direction not in ("", "asc", "desc"):
            raise InvalidPagination("Unknown sort direction, must be one of: asc, desc")
        parsed.append((attribute, direction == "desc"))
    named = [attribute for attribute, _ in parsed]
    return [*parsed, *((key, False) for key in ("id", "revision") if key not in named)]


def _sort_key(row: Row, sorts: Sequence[tuple[str, bool]]) -> tuple[_SortValue, ...]:
    return tuple(_SortValue(row[attribute], descending) for attribute, descending in sorts)


def _projected(row: Row, resource_type: str) -> Row:
    """Return the row with the common attributes only, if the type is that of all resources."""
    if resource_type != "generic":
        return row
    own = gnocchi_schema.RESOURCE_TYPES[row["type"]]
    return {key: value for key, value in row.items() if key not in own}
