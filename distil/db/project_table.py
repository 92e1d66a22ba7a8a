# SPDX-License-Identifier: Apache-2.0
"""Projects as they stand, for the operator."""

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors
from distil.db.leases import has_expired
from distil.db.models import project_failures
from distil.db.models import project_locks
from distil.db.models import rejected_samples
from distil.db.models import resources
from distil.db.models import tenants
from distil.db.models import usage_entry


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectStatus:
    """What is stored about one project. Nothing of it need be: a project may fail before it is registered.

    :param owner: of its lease, if it has one that has not expired.
    :param failure: why the last runs could not bring it to their end, None where the last one did.
    :param failing_since: when that was first so.
    :param last_failed: when that was last so. Long ago where no run has come to the project since: it has left the
        scope, or Keystone.
    """

    project_id: str
    name: str | None = None
    last_collected: datetime.datetime | None = None
    owner: str | None = None
    failure: str | None = None
    failing_since: datetime.datetime | None = None
    last_failed: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contents:
    """How much is stored of one project.

    :param first: start of the oldest window with usage.
    :param last: end of the newest one.
    """

    resources: int
    usage_entries: int
    first: datetime.datetime | None
    last: datetime.datetime | None
    rejected_samples: int


def project_statuses(engine: sa.Engine) -> dict[str, ProjectStatus]:
    """All of them by project id.

    :raises StoreError: the database failed.
    """
    stored = sa.select(tenants.c.id.label("project_id"), tenants.c.name, tenants.c.last_collected)
    held = sa.select(project_locks.c.project_id, project_locks.c.owner).where(sa.not_(has_expired()))
    failed = sa.select(
        project_failures.c.tenant_id.label("project_id"),
        project_failures.c.reason.label("failure"),
        project_failures.c.since.label("failing_since"),
        project_failures.c.seen.label("last_failed"),
    )
    found: dict[str, dict[str, Any]] = {}
    with errors.translate_errors("reading projects"), engine.connect() as connection:
        for query in (stored, held, failed):
            for row in connection.execute(query).mappings():
                found.setdefault(row["project_id"], {}).update(row)
    return {project_id: ProjectStatus(**values) for project_id, values in sorted(found.items())}


def contents(engine: sa.Engine, project_id: str) -> Contents:
    """:raises StoreError: the database failed."""
    used = usage_entry.c
    counts = sa.select(
        _count(resources, project_id).label("resources"),
        sa.func.count().label("usage_entries"),
        sa.func.min(used.start).label("first"),
        sa.func.max(used.end).label("last"),
        _count(rejected_samples, project_id).label("rejected_samples"),
    ).where(used.tenant_id == project_id)
    with errors.translate_errors(f"reading what is stored of project {project_id}"), engine.connect() as connection:
        return Contents(**connection.execute(counts).mappings().one())


def find_ids(engine: sa.Engine, texts: Iterable[str]) -> list[str]:
    """The ids of the projects that these are the ids or the names of, as they are stored.

    :raises NotFound: there is no such project, or more than one has the name.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors("looking for a project"), engine.connect() as connection:
        return [_find(connection, text) for text in texts]


def _find(connection: sa.Connection, text: str) -> str:
    query = sa.select(tenants.c.id, tenants.c.name).where(sa.or_(tenants.c.id == text, tenants.c.name == text))
    # MariaDB disregards the case of names.
    found = [row for row in connection.execute(query) if text in row]
    ids: list[str] = [row.id for row in found if row.id == text] or sorted(row.id for row in found)
    if not ids:
        raise exceptions.NotFound(f"there is no project {text!r} in the database, neither as an id nor as a name")
    if len(ids) > 1:
        raise exceptions.NotFound(f"more than one project is called {text!r}: {', '.join(ids)}")
    return ids[0]


def _count(table: sa.Table, project_id: str) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == project_id).scalar_subquery()
