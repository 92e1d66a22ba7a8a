# SPDX-License-Identifier: Apache-2.0
"""Parts of queries that several modules share."""

import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import TypeVar

import sqlalchemy as sa

from distil.db import errors

_MAX_BOUND_VALUES = 500
_ROWS_PER_FETCH = 2_000

# How long MariaDB and MySQL wait for a reader that pauses, as a pager does. Their default is a minute.
_NET_WRITE_TIMEOUT_SECONDS = 24 * 3600

_Item = TypeVar("_Item")


class SortKey(NamedTuple):
    """A column that rows are sorted by."""

    column: str
    descending: bool = False


def batched(items: Sequence[_Item], size: int = _MAX_BOUND_VALUES) -> Iterator[Sequence[_Item]]:
    """The items in batches that are small enough for the bound values of one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def filter_conditions(
    allowed: Iterable[tuple[sa.ColumnElement[Any], Collection[Any]]],
    start_column: sa.ColumnElement[Any],
    start: datetime.datetime | None,
    end: datetime.datetime | None,
) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions on a column's values and on a window's start.

    :param allowed: columns with their allowed values; none allow every value.
    :param start_column: has to be in [start, end), each of which may be open.
    """
    for column, values in allowed:
        if values:
            yield column.in_(values)
    if start is not None:
        yield start_column >= start
    if end is not None:
        yield start_column < end


def order(columns: Mapping[str, sa.ColumnElement[Any]], keys: Iterable[SortKey]) -> Iterator[sa.ColumnElement[Any]]:
    """What to order by. Rows without a value come last, or first if the order is descending, in every database.

    :param columns: by name, what the keys may name.
    """
    for key in keys:
        column = columns[key.column]
        parts = [column.is_(None), column] if getattr(column, "nullable", True) else [column]
        yield from (part.desc() if key.descending else part for part in parts)


def stream(engine: sa.Engine, query: sa.Select[Any], action: str) -> Iterator[sa.Row[Any]]:
    """Iterates over the rows of a query, of which memory holds a few thousand at a time. Takes its own connection.

    :param action: what fails if the query does, for the message.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors(action), engine.connect() as connection:
        if engine.dialect.name == "mysql":
            connection.execute(sa.text(f"SET SESSION net_write_timeout = {_NET_WRITE_TIMEOUT_SECONDS}"))
        try:
            yield from connection.execution_options(yield_per=_ROWS_PER_FETCH).execute(query)
        except GeneratorExit:
            if engine.dialect.name == "mysql":
                # PyMySQL would read all remaining rows before it closes the cursor.
                connection.invalidate()
            raise
