# SPDX-License-Identifier: Apache-2.0
"""Collected windows and projects, as a recheck reads them."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db import queries
from distil.db.functions import valid_time
from distil.db.models import project_states
from distil.db.models import receipts
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.db.receipts import StoredReceipt
from distil.db.receipts import from_row

OUT_OF_SCOPE = "out_of_scope"


class RecordedWindow(NamedTuple):
    """A window that some projects have receipts of.

    :param rules: id of the document of their rules.
    :param receipts: their number.
    """

    window: model.Window
    rules: int
    receipts: int


class KnownProject(NamedTuple):
    """A stored project.

    :param telemetry: what it is collected from; None: not known.
    :param has_ended: whether it has departed, and is not collected any more.
    """

    last_collected: datetime.datetime | None
    telemetry: str | None
    has_ended: bool


class CollectedWindows:
    """The receipts of windows that were collected from one telemetry service, or from one that is not known.

    Every method raises StoreError if the database fails.

    :ivar projects: ids; without any, all.
    """

    def __init__(self, engine: sa.Engine, telemetry: str, projects: Collection[str] = ()) -> None:
        self._engine = engine
        self._telemetry = telemetry
        self.projects = projects

    def recorded(self, period: model.Window) -> Sequence[RecordedWindow]:
        """The windows that begin in a period, without the projects."""
        columns = receipts.c
        query = sa.select(columns.start, columns.end, columns.rules, sa.func.count())
        query = query.where(*self._conditions(period), self._is_mine())
        query = query.group_by(columns.start, columns.end, columns.rules)
        with errors.translate_errors("read receipts"), self._engine.connect() as connection:
            return [
                RecordedWindow(model.Window(start, end), rules, number)
                for start, end, rules, number in connection.execute(query)
            ]

    def count_others(self, period: model.Window) -> int:
        """Number of windows that begin in a period, and were collected from other telemetry services."""
        query = sa.select(sa.func.count()).where(*self._conditions(period), receipts.c.telemetry != self._telemetry)
        with errors.translate_errors("read receipts"), self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def receipts(self, starts: Collection[datetime.datetime]) -> Iterator[StoredReceipt]:
        """The receipts of windows that begin at these times, by project and start."""
        columns = receipts.c
        for batch in queries.batched(sorted(starts)):
            query = sa.select(receipts).where(columns.start.in_(batch), self._is_mine())
            if self.projects:
                query = query.where(columns.tenant_id.in_(self.projects))
            query = query.order_by(columns.tenant_id, columns.start)
            yield from map(from_row, queries.stream(self._engine, query, "read receipts"))

    def newest_end(self) -> datetime.datetime | None:
        """The end of the newest window; None without receipts."""
        newest = sa.select(sa.func.max(receipts.c.start)).where(self._is_mine()).scalar_subquery()
        query = sa.select(sa.func.max(receipts.c.end)).where(receipts.c.start == newest)
        with errors.translate_errors("read receipts"), self._engine.connect() as connection:
            newest_end: datetime.datetime | None = connection.execute(query).scalar_one()
        return newest_end

    def oldest_start(self) -> datetime.datetime | None:
        """The start of the oldest window, with a receipt or without; None if there is none."""
        oldest = (
            sa.select(sa.func.min(receipts.c.start)).where(self._is_mine()),
            sa.select(sa.func.min(usage_entry.c.start)),
        )
        with errors.translate_errors("read collected windows"), self._engine.connect() as connection:
            starts = [connection.execute(query).scalar_one() for query in oldest]
        return min((start for start in starts if start), default=None)

    def known_projects(self) -> dict[str, KnownProject]:
        """Every stored project by id."""
        has_ended = sa.and_(tenants.c.departed.is_not(None), tenants.c.in_scope_of.is_(None))
        query = sa.select(tenants.c.id, valid_time(tenants.c.last_collected), tenants.c.telemetry, has_ended)
        with errors.translate_errors("read projects"), self._engine.connect() as connection:
            return {
                project_id: KnownProject(last_collected, telemetry, bool(has_ended))
                for project_id, last_collected, telemetry, has_ended in connection.execute(query)
            }

    def out_of_scope(self, project_ids: Collection[str]) -> set[str]:
        """Those of the projects that were out of every scope when a run saw them last."""
        columns = project_states.c
        last: dict[str, str] = {}
        with errors.translate_errors("read states of projects"), self._engine.connect() as connection:
            for batch in queries.batched(sorted(project_ids)):
                query = sa.select(columns.tenant_id, columns.state).where(columns.tenant_id.in_(batch))
                last.update((row.tenant_id, row.state) for row in connection.execute(query.order_by(columns.since)))
        return {project_id for project_id, state in last.items() if state == OUT_OF_SCOPE}

    def _conditions(self, period: model.Window) -> Iterator[sa.ColumnElement[bool]]:
        columns = receipts.c
        return queries.filter_conditions([(columns.tenant_id, self.projects)], columns.start, period.start, period.end)

    def _is_mine(self) -> sa.ColumnElement[bool]:
        return sa.or_(receipts.c.telemetry == self._telemetry, receipts.c.telemetry.is_(None))
