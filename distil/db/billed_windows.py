# SPDX-License-Identifier: Apache-2.0
"""The windows of a period that have been collected, with the receipts of those that have one."""

import datetime
import itertools
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db import queries
from distil.db import receipts
from distil.db.functions import valid_time
from distil.db.models import receipts as receipts_table
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.db.receipts import ReceiptFilter
from distil.db.receipts import StoredReceipt

# Projects that a query selects by id; of more of them, it reads the receipts of all.
_MAX_SELECTED = 500


class BilledProject(NamedTuple):
    """A project of which windows have been collected.

    :param last_collected: end of its newest window.
    :param first_receipt: start of its oldest window with a receipt; None if none has one.
    :param first_usage: start of its oldest window with usage; None without usage.
    """

    id: str
    name: str
    last_collected: datetime.datetime
    first_receipt: datetime.datetime | None
    first_usage: datetime.datetime | None


class BilledWindow(NamedTuple):
    """A window of a project.

    :param receipt: None if it was collected before there were receipts.
    """

    project_id: str
    window: model.Window
    receipt: StoredReceipt | None


class BilledWindows:
    """The collected windows that begin in the period [start, end).

    :param length: of windows without receipts.
    """

    def __init__(
        self, engine: sa.Engine, start: datetime.datetime, end: datetime.datetime, length: datetime.timedelta
    ) -> None:
        self._engine = engine
        self._start = start
        self._end = end
        self._length = length

    def projects(self, ids: Collection[str] = (), collector: str | None = None) -> list[BilledProject]:
        """The projects that have been collected to after the start of the period, ordered by id.

        :param ids: of those to choose from; empty: all.
        :param collector: only those whose newest window it stored, or of which that is not known; None: of any.
        :raises StoreError: the database failed.
        """
        last_collected = valid_time(tenants.c.last_collected)
        query = sa.select(
            tenants.c.id,
            tenants.c.name,
            last_collected,
            _first_start(receipts_table).label("first_receipt"),
            _first_start(usage_entry).label("first_usage"),
        ).where(last_collected > self._start)
        if ids:
            query = query.where(tenants.c.id.in_(ids))
        if collector is not None:
            query = query.where(sa.or_(tenants.c.collector == collector, tenants.c.collector.is_(None)))
        with errors.translate_errors("read projects"), self._engine.connect() as connection:
            return [BilledProject(*row) for row in connection.execute(query.order_by(tenants.c.id))]

    def count(self, projects: Sequence[BilledProject]) -> int:
        """Number of windows of projects.

        :raises StoreError: the database failed.
        """
        number = sum(self._unrecorded(project).number for project in projects)
        query = sa.select(sa.func.count()).select_from(receipts_table).where(*self._period().conditions())
        with errors.translate_errors("count receipts"), self._engine.connect() as connection:
            for batch in queries.batched([project.id for project in projects]):
                number += connection.scalar(query.where(receipts_table.c.tenant_id.in_(batch))) or 0
        return number

    def iterate(self, projects: Sequence[BilledProject]) -> Iterator[Sequence[BilledWindow]]:
        """Iterates over the windows of projects in time order; those of all projects with the same window together.

        :raises StoreError: the database failed.
        """
        ids = {project.id for project in projects}
        # Together, all windows of all projects could be too many for memory.
        unrecorded = {project.id: self._unrecorded(project) for project in projects}
        starts = self._starts().union(*(spans.starts() for spans in set(unrecorded.values())))
        for start in sorted(starts):
            window = model.Window(start, start + self._length)
            found = [BilledWindow(name, window, None) for name, spans in unrecorded.items() if spans.has(start)]
            found += self._recorded(ids, start)
            found.sort(key=lambda billed: (billed.window, billed.project_id))
            for _, group in itertools.groupby(found, key=lambda billed: billed.window):
                yield list(group)

    def rules(self) -> set[int]:
        """Ids of the documents of the rules that windows of any project were rated by.

        :raises StoreError: the database failed.
        """
        query = sa.select(receipts_table.c.rules).where(*self._period().conditions()).distinct()
        with errors.translate_errors("read receipts"), self._engine.connect() as connection:
            return set(connection.scalars(query))

    def _period(self) -> ReceiptFilter:
        return ReceiptFilter(start=self._start, end=self._end)

    def _starts(self) -> set[datetime.datetime]:
        query = sa.select(receipts_table.c.start).where(*self._period().conditions()).distinct()
        with errors.translate_errors("read receipts"), self._engine.connect() as connection:
            return set(connection.scalars(query))

    def _recorded(self, ids: Collection[str], start: datetime.datetime) -> Iterator[BilledWindow]:
        selected = ids if len(ids) <= _MAX_SELECTED else ()
        end = start + datetime.timedelta(seconds=1)
        for receipt in receipts.iterate(self._engine, ReceiptFilter(selected, start, end)):
            if receipt.project_id in ids:
                yield BilledWindow(receipt.project_id, receipt.window, receipt)

    def _unrecorded(self, project: BilledProject) -> "_AdjacentWindows":
        """The windows of the period since the project's first usage that precede its first receipt."""
        end = project.first_receipt or project.last_collected
        first = max(self._start, project.first_usage or end)
        newest = end - self._length
        if newest >= self._end:
            newest -= ((newest - self._end) // self._length + 1) * self._length
        return _AdjacentWindows(newest, self._length, max(0, (newest - first) // self._length + 1))


class _AdjacentWindows(NamedTuple):
    """:param newest: start of the newest window."""

    newest: datetime.datetime
    length: datetime.timedelta
    number: int

    def starts(self) -> Iterator[datetime.datetime]:
        return (self.newest - number * self.length for number in range(self.number))

    def has(self, start: datetime.datetime) -> bool:
        """Whether one of them starts then."""
        number, rest = divmod(self.newest - start, self.length)
        return not rest and 0 <= number < self.number


def _first_start(table: sa.Table) -> sa.ScalarSelect[datetime.datetime]:
    """One row of the index for each project."""
    query = sa.select(table.c.start).where(table.c.tenant_id == tenants.c.id)
    return query.order_by(table.c.start).limit(1).scalar_subquery()
