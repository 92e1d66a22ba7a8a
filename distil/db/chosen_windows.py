# SPDX-License-Identifier: Apache-2.0
"""Finds the windows that are to be collected again: in the order of time, of all chosen projects at a time."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db import queries
from distil.db.functions import valid_time
from distil.db.models import late_windows
from distil.db.models import receipts
from distil.db.models import tenants
from distil.db.models import usage_entry

_MAX_WINDOW = datetime.timedelta(days=31)


class ChosenProject(NamedTuple):
    """A stored project.

    :param last_collected: None if nothing has been collected.
    """

    id: str
    name: str
    last_collected: datetime.datetime | None


def read_projects(engine: sa.Engine, project_ids: Collection[str]) -> dict[str, ChosenProject]:
    """Stored projects by id.

    :param project_ids: all of them if empty.
    :raises StoreError: the database failed.
    """
    query = sa.select(tenants.c.id, tenants.c.name, valid_time(tenants.c.last_collected))
    found: dict[str, ChosenProject] = {}
    with errors.translate_errors("read projects"), engine.connect() as connection:
        for batch in queries.batched(sorted(project_ids)) if project_ids else [()]:
            rows = connection.execute(query.where(tenants.c.id.in_(batch)) if batch else query)
            found.update((project_id, ChosenProject(project_id, *values)) for project_id, *values in rows)
    return found


class ChosenWindows:
    """The stored windows that begin in a period, of which an end may be open.

    Of projects that are chosen by name, windows are included of which nothing is stored although others have them: they
    had no usage, or were lost.

    Every method raises StoreError if the database fails.

    :param project_ids: of which projects; all of them if empty.
    :param only_late: only late windows.
    """

    def __init__(
        self,
        engine: sa.Engine,
        project_ids: Collection[str],
        start: datetime.datetime | None,
        end: datetime.datetime | None,
        *,
        only_late: bool,
    ) -> None:
        self._engine = engine
        self._project_ids = project_ids
        self._start = start
        self._end = end
        self._only_late = only_late
        self._tables = (late_windows,) if only_late else (receipts, usage_entry)

    def iterate(self) -> Iterator[tuple[model.Window, Sequence[str]]]:
        """Iterates over windows, each with the ids of its projects."""
        start = self._next_start(None)
        while start is not None:
            windows = self._windows(start)
            if self._project_ids and not self._only_late:
                for window, project_id in self._gaps(start, set[str]().union(*windows.values())):
                    windows.setdefault(window, set()).add(project_id)
            yield from ((window, sorted(windows[window])) for window in sorted(windows))
            start = self._next_start(start)

    def _next_start(self, after: datetime.datetime | None) -> datetime.datetime | None:
        """The first start of a window of any project after a time: each is found in an index."""
        found = []
        with errors.translate_errors("find windows"), self._engine.connect() as connection:
            for table in self._tables:
                conditions = list(queries.filter_conditions([], table.c.start, self._start, self._end))
                if after is not None:
                    conditions.append(table.c.start > after)
                found.append(connection.scalar(sa.select(sa.func.min(table.c.start)).where(*conditions)))
        return min((start for start in found if start is not None), default=None)

    def _windows(self, start: datetime.datetime) -> dict[model.Window, set[str]]:
        """The windows of chosen projects that begin at a time, with the ids of the projects that have rows of them."""
        found: dict[model.Window, set[str]] = {}
        with errors.translate_errors("find windows"), self._engine.connect() as connection:
            for table in self._tables:
                conditions = queries.filter_conditions(
                    [(table.c.tenant_id, self._project_ids)], table.c.start, None, None
                )
                query = sa.select(table.c.tenant_id, table.c.end).where(table.c.start == start, *conditions).distinct()
                for project_id, end in connection.execute(query):
                    found.setdefault(model.Window(start, end), set()).add(project_id)
        return found

    def _gaps(self, start: datetime.datetime, with_rows: set[str]) -> Iterator[tuple[model.Window, str]]:
        """Windows that other projects have, and that a chosen project was collected before and after.

        :param with_rows: projects that have a window that begins at this time.
        """
        missing = [project_id for project_id in self._project_ids if project_id not in with_rows]
        if not missing:
            return
        projects = read_projects(self._engine, missing).values()
        for window in self._windows_of_all(start):
            for project in projects:
                is_collected = project.last_collected and project.last_collected >= window.end
                if is_collected and self._is_gap(project.id, window):
                    yield window, project.id

    def _windows_of_all(self, start: datetime.datetime) -> list[model.Window]:
        with errors.translate_errors("find windows"), self._engine.connect() as connection:
            for table in self._tables:
                ends = connection.scalars(sa.select(table.c.end).where(table.c.start == start).distinct()).all()
                if ends:
                    return [model.Window(start, end) for end in sorted(ends)]
        return []

    def _is_gap(self, project_id: str, window: model.Window) -> bool:
        """Whether a project has windows before this one, and none that overlaps it."""
        with errors.translate_errors("find windows"), self._engine.connect() as connection:
            is_begun = any(
                self._exists(connection, table, project_id, table.c.start < window.start) for table in self._tables
            )
            return is_begun and not any(
                self._exists(
                    connection,
                    table,
                    project_id,
                    sa.and_(
                        table.c.start > window.start - _MAX_WINDOW,
                        table.c.start < window.end,
                        table.c.end > window.start,
                    ),
                )
                for table in self._tables
            )

    @staticmethod
    def _exists(connection: sa.Connection, table: sa.Table, project_id: str, condition: sa.ColumnElement[bool]) -> bool:
        query: sa.Select[Any] = sa.select(table.c.start).where(table.c.tenant_id == project_id, condition).limit(1)
        return connection.scalar(query) is not None
