# SPDX-License-Identifier: Apache-2.0
"""The windows of a period that have been collected, with the receipts of those that have one."""

import datetime
import itertools
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
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
        number = sum(sum(1 for _ in self._unrecorded(project)) for project in projects)
        query = sa.select(sa.func.count()).select_from(receipts_table).where(*self._period().conditions())
        with errors.translate_errors("count receipts"), self._engine.connect() as connection:
            for batch in queries.batched([project.id for project in projects]):
                number += connection.scalar(query.where(receipts_table.c.tenant_id.in_(batch))) or 0
        return number

    def iterate(self, projects: Sequence[BilledProject]) -> Iterator[Sequence[BilledWindow]]:
        """Iterates over the windows of projects in time order; those of all projects with the same window together.

        :raises StoreError: the database failed.
        """
        by_start: Mapping[datetime.datetime, list[BilledWindow]] = defaultdict(list)
        for project in projects:
            for window in self._unrecorded(project):
                by_start[window.start].append(BilledWindow(project.id, window, None))
        ids = {project.id for project in projects}
        for start in sorted(by_start.keys() | self._starts()):
            found = [*by_start.get(start, ()), *self._recorded(ids, start)]
            found.sort(key=lambda collected: (collected.window, collected.project_id))
            for _, group in itertools.groupby(found, key=lambda collected: collected.window):
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

    def _unrecorded(self, project: BilledProject) -> Iterator[model.Window]:
        """The windows since the project's first usage that precede its first receipt, newest first."""
        end = project.first_receipt or project.last_collected
        first = max(self._start, project.first_usage or end)
        while end - self._length >= first:
            window = model.Window(end - self._length, end)
            if window.start < self._end:
                yield window
            end = window.start


def _first_start(table: sa.Table) -> sa.ScalarSelect[datetime.datetime]:
    """One row of the index for each project."""
    query = sa.select(table.c.start).where(table.c.tenant_id == tenants.c.id)
    return query.order_by(table.c.start).limit(1).scalar_subquery()
