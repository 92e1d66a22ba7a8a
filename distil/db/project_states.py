# SPDX-License-Identifier: Apache-2.0
"""States of projects, as runs have noticed them: a row for each change. Rows are only ever added."""

import datetime
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import model
from distil import text
from distil.completeness import ProjectState
from distil.completeness import StateChange
from distil.db import errors
from distil.db import queries
from distil.db.models import MAX_COLLECTOR
from distil.db.models import MAX_PROJECT_NAME
from distil.db.models import project_states


class NewState(NamedTuple):
    """The state that a project has now."""

    project: model.Project
    state: ProjectState


def latest(engine: sa.Engine) -> dict[str, StateChange]:
    """The newest state of every project, by id.

    :raises StoreError: the database failed.
    """
    columns = project_states.c
    newest = sa.select(columns.tenant_id, sa.func.max(columns.since).label("since")).group_by(columns.tenant_id)
    last = newest.subquery().c
    query = sa.select(columns.tenant_id, columns.since, columns.state, columns.collector).where(
        columns.tenant_id == last.tenant_id, columns.since == last.since
    )
    with errors.translate_errors("read states of projects"), engine.connect() as connection:
        return {project_id: StateChange(*values) for project_id, *values in connection.execute(query)}


def insert(engine: sa.Engine, states: Sequence[NewState], collector: str, since: datetime.datetime) -> None:
    """Stores states. Another process may have stored the same.

    :raises StoreError: the database failed.
    """
    name = text.fit_column(collector, MAX_COLLECTOR)
    rows = [_row(new, name, since.replace(microsecond=0)) for new in states]
    with errors.translate_errors("store states of projects"):
        for batch in queries.batched(rows):
            try:
                _insert(engine, batch)
            except db_exception.DBDuplicateEntry:
                _insert_each(engine, batch)


def _insert_each(engine: sa.Engine, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        try:
            _insert(engine, [row])
        except db_exception.DBDuplicateEntry:
            continue


def _insert(engine: sa.Engine, rows: Sequence[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(project_states), rows)


def _row(new: NewState, collector: str, since: datetime.datetime) -> dict[str, Any]:
    return {
        "tenant_id": new.project.id,
        "since": since,
        "state": new.state.value,
        "name": text.fit_column(new.project.name, MAX_PROJECT_NAME),
        "domain_id": new.project.domain_id or None,
        "collector": collector,
    }
