# SPDX-License-Identifier: Apache-2.0
"""What readers choose rows by."""

import datetime
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa


def conditions(
    among: Iterable[tuple[sa.ColumnElement[Any], Collection[Any]]],
    begins: sa.ColumnElement[Any],
    start: datetime.datetime | None,
    end: datetime.datetime | None,
) -> Iterator[sa.ColumnElement[bool]]:
    """Those of rows that have one of the values where there are any, and that begin in [start, end)."""
    for column, values in among:
        if values:
            yield column.in_(values)
    if start is not None:
        yield begins >= start
    if end is not None:
        yield begins < end
