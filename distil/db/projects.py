# SPDX-License-Identifier: Apache-2.0
"""The rows of projects."""

import datetime
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from distil import model
from distil import text
from distil.db import queries
from distil.db.models import MAX_DESCRIPTION
from distil.db.models import MAX_PROJECT_NAME
from distil.db.models import tenants


def register(engine: sa.Engine, wanted: Mapping[str, tuple[model.Project, datetime.datetime]]) -> None:
    """Insert the projects that are not there, and give a last collected to those that have none.

    What exists is read in a transaction of its own: SQLite refuses a transaction that reads first and writes later
    where another has written meanwhile.

    :raises DBDuplicateEntry: another collector has inserted one of them meanwhile.
    """
    known = _stored(engine, wanted)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    new = [
        {"id": project_id, **_values(project), "created": now, "last_collected": start}
        for project_id, (project, start) in sorted(wanted.items())
        if project_id not in known
    ]
    unset = [
        {"project": project_id, "start": wanted[project_id][1]}
        for project_id, row in sorted(known.items())
        if row.last_collected is None
    ]
    with engine.begin() as connection:
        if new:
            connection.execute(sa.insert(tenants), new)
        if unset:
            statement = sa.update(tenants).where(
                tenants.c.id == sa.bindparam("project"), tenants.c.last_collected.is_(None)
            )
            connection.execute(statement.values(last_collected=sa.bindparam("start")), unset)


def update(engine: sa.Engine, current: Mapping[str, model.Project]) -> None:
    """Update the name and the description of those whose are stored differently."""
    changed = []
    for project_id, row in sorted(_stored(engine, current).items()):
        values = _values(current[project_id])
        if values != {"name": row.name, "info": row.info or ""}:
            changed.append({"project": project_id, "new_name": values["name"], "new_info": values["info"]})
    if not changed:
        return
    statement = sa.update(tenants).where(tenants.c.id == sa.bindparam("project"))
    with engine.begin() as connection:
        connection.execute(statement.values(name=sa.bindparam("new_name"), info=sa.bindparam("new_info")), changed)


class _Stored(NamedTuple):
    name: str
    info: str | None
    last_collected: datetime.datetime | None


def _stored(engine: sa.Engine, project_ids: Mapping[str, object]) -> dict[str, _Stored]:
    found: dict[str, _Stored] = {}
    with engine.connect() as connection:
        for ids in queries.batched(sorted(project_ids)):
            query = sa.select(tenants.c.id, tenants.c.name, tenants.c.info, tenants.c.last_collected)
            rows = connection.execute(query.where(tenants.c.id.in_(ids)))
            found.update((project_id, _Stored(*columns)) for project_id, *columns in rows)
    return found


def _values(project: model.Project) -> dict[str, str]:
    return {
        "name": text.fit_column(project.name, MAX_PROJECT_NAME),
        "info": text.fit_column(project.description, MAX_DESCRIPTION),
    }
