# SPDX-License-Identifier: Apache-2.0
"""The projects that a run could not bring to their end, and why, until one does."""

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

# What another failure of the project changes; since stays, runs goes up.
_NEWER = ("collector", "start", "end", "reason", "seen")


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why a project waits for the next run.

    :param collector: name of the collector type.
    :param window: the one that could not be stored; None where it did not come to one.
    """

    project_id: str
    collector: str
    window: model.Window | None
    reason: str


def record(engine: sa.Engine, failures: Iterable[Failure], now: datetime.datetime) -> None:
    """One row a project, all of them or none."""
    newest = {failure.project_id: failure for failure in failures}
    # In one order, lest two collectors block each other.
    rows = [_row(failure, now) for _, failure in sorted(newest.items())]
    if rows:
        with engine.begin() as connection:
            connection.execute(_upsert(engine.dialect.name), rows)


def clear(engine: sa.Engine, project_ids: Collection[str]) -> None:
    """Delete the rows of these projects. As a rule there are none at all, which one look tells."""
    with engine.connect() as connection:
        known = set(connection.scalars(sa.select(project_failures.c.tenant_id)))
    done = sorted(known.intersection(project_ids))
    if not done:
        return
    with engine.begin() as connection:
        for ids in queries.batched(done):
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
    # PyMySQL takes no parameters behind those of the rows.
    runs = {"runs": project_failures.c.runs + sa.literal_column("1")}
    if dialect == "mysql":
        insert = mysql.insert(project_failures)
        return insert.on_duplicate_key_update({name: insert.inserted[name] for name in _NEWER} | runs)
    standard: sqlite.Insert | postgresql.Insert
    standard = sqlite.insert(project_failures) if dialect == "sqlite" else postgresql.insert(project_failures)
    changes = {name: standard.excluded[name] for name in _NEWER} | runs
    return standard.on_conflict_do_update(index_elements=[project_failures.c.tenant_id], set_=changes)
