# SPDX-License-Identifier: Apache-2.0
"""Projects that the last run could not finish, and why. A run that finishes a project deletes its row."""

import dataclasses
import datetime
from collections.abc import Collection
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite

from distil import model
from distil import text
from distil.db import queries
from distil.db.models import MAX_COLLECTOR
from distil.db.models import MAX_REASON
from distil.db.models import project_failures

# What a repeated failure overwrites. It keeps since and increments runs.
_OVERWRITTEN = ("collector", "start", "end", "reason", "seen")


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why a run could not finish a project.

    :param collector: name of the collector type.
    :param window: the window that could not be stored; None if the project failed before its first window.
    """

    project_id: str
    collector: str
    window: model.Window | None
    reason: str


def record(engine: sa.Engine, failures: Iterable[Failure], now: datetime.datetime) -> None:
    """Stores one row for each project, all in one transaction."""
    by_project = {failure.project_id: failure for failure in failures}
    # Sorted, so that two collectors do not deadlock.
    rows = [_row(failure, now) for _, failure in sorted(by_project.items())]
    if rows:
        with engine.begin() as connection:
            connection.execute(_upsert(engine.dialect.name), rows)


def failed_ids(engine: sa.Engine) -> set[str]:
    """The ids of all projects with a failure."""
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(project_failures.c.tenant_id)))


def clear(engine: sa.Engine, project_ids: Collection[str]) -> None:
    """Deletes the rows of these projects. Usually there are none at all, so one query usually suffices."""
    finished = sorted(failed_ids(engine).intersection(project_ids))
    if not finished:
        return
    with engine.begin() as connection:
        for ids in queries.batched(finished):
            connection.execute(sa.delete(project_failures).where(project_failures.c.tenant_id.in_(ids)))


def _row(failure: Failure, now: datetime.datetime) -> dict[str, object]:
    window = failure.window
    return {
        "tenant_id": failure.project_id,
        "collector": text.fit_column(failure.collector, MAX_COLLECTOR),
        "start": window and window.start,
        "end": window and window.end,
        "reason": text.fit_column(failure.reason, MAX_REASON),
        "since": now,
        "seen": now,
        "runs": 1,
    }


def _upsert(dialect: str) -> sa.Insert:
    # Literal, because PyMySQL accepts no parameters after those of the rows.
    runs = {"runs": project_failures.c.runs + sa.literal_column("1")}
    if dialect == "mysql":
        statement = mysql.insert(project_failures)
        return statement.on_duplicate_key_update({name: statement.inserted[name] for name in _OVERWRITTEN} | runs)
    upsert: sqlite.Insert | postgresql.Insert
    upsert = sqlite.insert(project_failures) if dialect == "sqlite" else postgresql.insert(project_failures)
    changes = {name: upsert.excluded[name] for name in _OVERWRITTEN} | runs
    return upsert.on_conflict_do_update(index_elements=[project_failures.c.tenant_id], set_=changes)
