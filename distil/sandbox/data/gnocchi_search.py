# SPDX-License-Identifier: Apache-2.0
"""Searches for resources, as Gnocchi's indexer does: filter, order, marker and limit."""

import dataclasses
import heapq
import itertools
import operator
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.sandbox.data.gnocchi_store import CURRENT_REVISION
from distil.sandbox.data.gnocchi_store import GENERIC
from distil.sandbox.data.gnocchi_store import GnocchiResource
from distil.sandbox.data.gnocchi_store import GnocchiStore
from distil.sandbox.data.gnocchi_store import Row
from distil.sandbox.query import attribute_filter
from distil.sandbox.query.attribute_filter import AttributeFilter
from distil.sandbox.query.attribute_filter import Converter
from distil.sandbox.query.attribute_filter import FilterParser

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

    def __init__(self, store: GnocchiStore) -> None:
        self._store = store

    def find(self, resource_type: str, tree: Any, page: Page, *, history: bool) -> list[Row]:
        """Return a page of the matching revisions; without the history, of the current ones.

        :param tree: the filter, decoded from JSON.
        :raises InvalidFilter: Gnocchi rejects the filter.
        :raises InvalidPagination: Gnocchi rejects order or marker.
        """
        converters = self._converters(resource_type, history)
        condition = FilterParser(resource_type, converters).parse(tree)
        sorts = _parse_sorts(page.sorts, {*converters, "revision"})
        rows = self._rows(resource_type, condition, history)
        if page.marker is not None:
            marker = _sort_key(self._marker_row(resource_type, page.marker, history), sorts)
            rows = (row for row in rows if marker < _sort_key(row, sorts))
        return _first(rows, sorts, page.limit)

    def current(self, resource_type: str, tree: Any) -> Iterator[GnocchiResource]:
        """Return the resources whose current revision matches, sorted by ID.

        :raises InvalidFilter: Gnocchi rejects the filter.
        """
        condition = FilterParser(resource_type, self._converters(resource_type, history=False)).parse(tree)
        for resource in self._candidates(resource_type, condition):
            if any(condition.evaluate(row) for row in resource.revisions()[-1:]):
                yield resource

    def _rows(self, resource_type: str, condition: AttributeFilter, history: bool) -> Iterator[Row]:
        """Return the matching rows, sorted by ID."""
        for resource in self._candidates(resource_type, condition):
            hidden = self._store.types[resource.type] if resource_type == GENERIC else ()
            for row in resource.revisions()[0 if history else -1 :]:
                if condition.evaluate(row):
                    yield {key: value for key, value in row.items() if key not in hidden}

    def _candidates(self, resource_type: str, condition: AttributeFilter) -> Iterator[GnocchiResource]:
        identifiers = condition.possible_values("id")
        if identifiers is not None:
            return self._store.find(resource_type, identifiers)
        project_ids = condition.possible_values("project_id")
        if project_ids is not None:
            return self._store.of_projects(resource_type, project_ids)
        bound = condition.lower_bound("id") or ""
        return itertools.chain(self._store.find(resource_type, [bound]), self._store.after(resource_type, bound))

    def _marker_row(self, resource_type: str, marker: str, history: bool) -> Row:
        identifier, _, revision = marker.partition("@")
        wanted = revision if history else str(CURRENT_REVISION)
        for resource in self._store.find(resource_type, [identifier]):
            for row in resource.revisions():
                if str(row["revision"]) == wanted:
                    return row
        raise InvalidPagination(f"Invalid marker: `{marker}'")

    def _converters(self, resource_type: str, history: bool) -> dict[str, Converter]:
        # Without the history, revision_end is no column.
        times = (*_TIMES, "revision_end") if history else _TIMES
        return {
            "id": attribute_filter.to_uuid,
            **dict.fromkeys(_TEXTS, str),
            **dict.fromkeys(times, attribute_filter.to_time),
            **{name: _CONVERTERS[schema["type"]] for name, schema in self._store.types[resource_type].items()},
        }


def _parse_sorts(sorts: Sequence[str], known: Collection[str]) -> list[tuple[str, bool]]:
    """Return pairs of attribute and whether it is descending, which end with the row's key."""
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


def _first(rows: Iterator[Row], sorts: Sequence[tuple[str, bool]], limit: int) -> list[Row]:
    """Return the first rows in an order of rows that are sorted by ID."""
    if sorts[0] != ("id", False):
        return heapq.nsmallest(limit, rows, key=lambda row: _sort_key(row, sorts))
    groups = (group for _, group in itertools.groupby(rows, operator.itemgetter("id")))
    ordered = (row for group in groups for row in sorted(group, key=lambda row: _sort_key(row, sorts)))
    return list(itertools.islice(ordered, limit))


def _sort_key(row: Row, sorts: Sequence[tuple[str, bool]]) -> tuple[_SortValue, ...]:
    return tuple(_SortValue(row[attribute], descending) for attribute, descending in sorts)
