# SPDX-License-Identifier: Apache-2.0
"""Projects: the rows that collectors write, and the status that operators read."""

import dataclasses
import datetime
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil import text
from distil.db import errors
from distil.db import queries
from distil.db.functions import valid_time
from distil.db.leases import has_expired
from distil.db.models import MAX_DESCRIPTION
from distil.db.models import MAX_PROJECT_ID
from distil.db.models import MAX_PROJECT_NAME
from distil.db.models import project_failures
from distil.db.models import project_locks
from distil.db.models import rejected_samples
from distil.db.models import resources
from distil.db.models import tenants
from distil.db.models import usage_entry

# Characters of an id that stand for the project if no other id begins with them.
MIN_ID_PREFIX = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectStatus:
    """What is stored about one project. All but the id may be missing: a project can fail before it is registered.

    :param owner: of its lease, unless that has expired.
    :param failure: why the last run that included the project failed to finish it; None if it did finish it.
    :param failing_since: time of the first failure in a row.
    :param last_failed: time of the last failure. If it is long ago, no run has included the project since: it is no
        longer in scope, or no longer in Keystone.
    :param in_scope_of: the collector that had the project in its scope first; None if none has it, or its collection
        has ended.
    :param departed: when a run noticed that Keystone no longer lists it as enabled; None if it does.
    :param collect_until: end of the last window that is collected of a departed project; None if a run has to confirm
        its departure.
    """

    project_id: str
    name: str | None = None
    domain_id: str | None = None
    last_collected: datetime.datetime | None = None
    owner: str | None = None
    failure: str | None = None
    failing_since: datetime.datetime | None = None
    last_failed: datetime.datetime | None = None
    in_scope_of: str | None = None
    departed: datetime.datetime | None = None
    collect_until: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectContents:
    """How much is stored of one project.

    :param first: start of the oldest window with usage.
    :param last: end of the newest window with usage.
    """

    resources: int
    usage_entries: int
    first: datetime.datetime | None
    last: datetime.datetime | None
    rejected_samples: int


def register(engine: sa.Engine, starts: Mapping[str, tuple[model.Project, datetime.datetime]]) -> None:
    """Inserts projects that are not stored, and sets last_collected of those that have none.

    Existing rows are read in a transaction of their own: SQLite refuses to write in a transaction that has read
    what another one has changed since.

    :param starts: by project id, the project and its last_collected to begin with.
    :raises DBDuplicateEntry: another collector has inserted one of the projects meanwhile.
    """
    known = _stored(engine, starts)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    new = [
        {"id": project_id, **_values(project), "created": now, "last_collected": start}
        for project_id, (project, start) in sorted(starts.items())
        if project_id not in known
    ]
    unset = [
        {"project": project_id, "start": starts[project_id][1]}
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


def changed(engine: sa.Engine, current: Mapping[str, model.Project]) -> dict[str, model.Project]:
    """Those whose stored name, description or domain differs from the current one, by id."""
    stored = sorted(_stored(engine, current).items())
    return {
        project_id: current[project_id]
        for project_id, row in stored
        if _values(current[project_id]) != {"name": row.name, "info": row.info or "", "domain_id": row.domain_id}
    }


def update(engine: sa.Engine, current: Mapping[str, model.Project]) -> None:
    """Updates names, descriptions and domains, in one transaction."""
    if not current:
        return
    statement = sa.update(tenants).where(tenants.c.id == sa.bindparam("project"))
    new_values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("name", "info", "domain_id")}
    rows = [
        {"project": project_id, **{f"new_{name}": value for name, value in _values(project).items()}}
        for project_id, project in current.items()
    ]
    with engine.begin() as connection:
        connection.execute(statement.values(new_values), rows)


class _Row(NamedTuple):
    name: str
    info: str | None
    last_collected: datetime.datetime | None
    domain_id: str | None


def _stored(engine: sa.Engine, project_ids: Mapping[str, object]) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    with engine.connect() as connection:
        for ids in queries.batched(sorted(project_ids)):
            last_collected = valid_time(tenants.c.last_collected)
            query = sa.select(tenants.c.id, tenants.c.name, tenants.c.info, last_collected, tenants.c.domain_id)
            rows = connection.execute(query.where(tenants.c.id.in_(ids)))
            found.update((project_id, _Row(*columns)) for project_id, *columns in rows)
    return found


def _values(project: model.Project) -> dict[str, str | None]:
    return {
        "name": text.fit_column(project.name, MAX_PROJECT_NAME),
        "info": text.fit_column(project.description, MAX_DESCRIPTION),
        "domain_id": text.fit_column(project.domain_id, MAX_PROJECT_ID) or None,
    }


def list_statuses(engine: sa.Engine) -> dict[str, ProjectStatus]:
    """The status of every project, by project id.

    :raises StoreError: the database failed.
    """
    stored = sa.select(
        tenants.c.id.label("project_id"),
        tenants.c.name,
        tenants.c.domain_id,
        valid_time(tenants.c.last_collected).label("last_collected"),
        tenants.c.in_scope_of,
        tenants.c.departed,
        tenants.c.collect_until,
    )
    leased = sa.select(project_locks.c.project_id, project_locks.c.owner).where(sa.not_(has_expired()))
    failed = sa.select(
        project_failures.c.tenant_id.label("project_id"),
        project_failures.c.reason.label("failure"),
        project_failures.c.since.label("failing_since"),
        project_failures.c.seen.label("last_failed"),
    )
    found: dict[str, dict[str, Any]] = {}
    with errors.translate_errors("read projects"), engine.connect() as connection:
        for query in (stored, leased, failed):
            for row in connection.execute(query).mappings():
                found.setdefault(row["project_id"], {}).update(row)
    return {project_id: ProjectStatus(**values) for project_id, values in sorted(found.items())}


def contents(engine: sa.Engine, project_id: str) -> ProjectContents:
    """Counts what is stored of a project.

    :raises StoreError: the database failed.
    """
    usage = usage_entry.c
    counts = sa.select(
        _count(resources, project_id).label("resources"),
        sa.func.count().label("usage_entries"),
        sa.func.min(usage.start).label("first"),
        sa.func.max(usage.end).label("last"),
        _count(rejected_samples, project_id).label("rejected_samples"),
    ).where(usage.tenant_id == project_id)
    with errors.translate_errors(f"read the contents of project {project_id}"), engine.connect() as connection:
        return ProjectContents(**connection.execute(counts).mappings().one())


def _count(table: sa.Table, project_id: str) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == project_id).scalar_subquery()


def domain_ids(engine: sa.Engine) -> set[str]:
    """The domains of the stored projects.

    :raises StoreError: the database failed.
    """
    query = sa.select(tenants.c.domain_id).where(tenants.c.domain_id.is_not(None)).distinct()
    with errors.translate_errors("read domains"), engine.connect() as connection:
        return set(connection.scalars(query))


def find_ids(engine: sa.Engine, texts: Iterable[str], with_prefixes: bool = True) -> list[str]:
    """The ids of stored projects, each given by its id, its name, or the beginning of its id.

    :param with_prefixes: whether the beginning of an id suffices.
    :raises NotFound: a project is not stored, or several have the name.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors("look up projects"), engine.connect() as connection:
        return [_find_id(connection, given, with_prefixes) for given in texts]


def _find_id(connection: sa.Connection, given: str, with_prefixes: bool) -> str:
    query = sa.select(tenants.c.id, tenants.c.name)
    rows = connection.execute(query.where(sa.or_(tenants.c.id == given, tenants.c.name == given)))
    # MariaDB and MySQL disregard the case of names.
    named = [row for row in rows if given in row]
    ids = [row.id for row in named if row.id == given] or sorted(row.id for row in named)
    matching = "have the name"
    if not ids and with_prefixes and len(given) >= MIN_ID_PREFIX:
        rows = connection.execute(query.where(tenants.c.id.startswith(given, autoescape=True)))
        ids = sorted(row.id for row in rows if row.id.startswith(given))
        matching = "have an ID that begins with"
    if not ids:
        prefix = f" (or at least the first {MIN_ID_PREFIX} characters of an ID)" if with_prefixes else ""
        raise exceptions.NotFound(f"no project in the database has the ID or name {given!r}{prefix}")
    if len(ids) > 1:
        raise exceptions.NotFound(f"several projects {matching} {given!r}: {', '.join(ids)}")
    return str(ids[0])
