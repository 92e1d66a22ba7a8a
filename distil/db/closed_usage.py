# SPDX-License-Identifier: Apache-2.0
"""The usage of a project in a period, digested from its entries themselves."""

import decimal
import itertools
import operator
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import digest
from distil import model
from distil.db import queries
from distil.db.models import receipts
from distil.db.models import usage_entry

# Digits for exact sums of any number of volumes.
EXACT = decimal.Context(prec=80)

_ROWS_PER_FETCH = 2_000
_TIMES = operator.attrgetter("start", "end")


class DigestedWindow(NamedTuple):
    """A window that has usage."""

    window: model.Window
    entries: int
    digest: str


class DigestedUsage(NamedTuple):
    """The usage of a project in a period.

    :param windows: in order, those that have usage and were not committed after the period was closed.
    :param sums: of their volumes, by service and unit.
    :param late: the windows that were committed after the period was closed.
    """

    windows: Sequence[DigestedWindow]
    sums: Mapping[tuple[str, str], Decimal]
    late: Sequence[model.Window]

    @property
    def entries(self) -> int:
        return sum(window.entries for window in self.windows)

    @property
    def digest(self) -> str:
        return digest.windows_digest((window.window, window.digest) for window in self.windows)


def read(connection: sa.Connection, project_id: str, name: str, period: model.Window) -> DigestedUsage:
    """Digest the usage of the windows that begin in a period.

    One window at a time is in memory.

    :param name: of the period, with which collectors mark windows that they commit after the close.
    """
    late = [model.Window(*row) for row in connection.execute(_late_windows(project_id, name, period))]
    late_starts = {window.start for window in late}
    windows: list[DigestedWindow] = []
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for times, rows in itertools.groupby(_entries(connection, project_id, period), key=_TIMES):
        window = model.Window(*times)
        if window.start in late_starts:
            continue
        usage = [model.Usage(row.service, row.resource_id, row.unit, row.volume) for row in rows]
        windows.append(DigestedWindow(window, len(usage), digest.usage_digest(usage)))
        with decimal.localcontext(EXACT):
            for entry in usage:
                sums[entry.service, entry.unit] += entry.volume
    return DigestedUsage(windows, sums, late)


def _entries(connection: sa.Connection, project_id: str, period: model.Window) -> Iterator[sa.Row[Any]]:
    columns = usage_entry.c
    fields = columns.service, columns.resource_id, columns.unit, columns.volume, columns.start, columns.end
    query = sa.select(*fields).where(*_in_period(columns, project_id, period)).order_by(columns.start, columns.end)
    rows: sa.CursorResult[Any] = connection.execute(query.execution_options(yield_per=_ROWS_PER_FETCH))
    yield from rows


def _late_windows(project_id: str, name: str, period: model.Window) -> sa.Select[Any]:
    columns = receipts.c
    query = sa.select(columns.start, columns.end).where(*_in_period(columns, project_id, period))
    return query.where(columns.closed_period == name).order_by(columns.start)


def _in_period(columns: Any, project_id: str, period: model.Window) -> Iterator[sa.ColumnElement[bool]]:
    return queries.filter_conditions([(columns.tenant_id, [project_id])], columns.start, period.start, period.end)
