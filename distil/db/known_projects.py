# SPDX-License-Identifier: Apache-2.0
"""Projects that anything is known of: registered ones, those that runs saw, and those with samples only."""

from collections.abc import Collection
from collections.abc import Iterable

import sqlalchemy as sa

from distil.db import errors
from distil.db import projects
from distil.db.models import late_windows
from distil.db.models import project_states
from distil.db.models import tenants
from distil.model import Window


def find_ids(engine: sa.Engine, texts: Iterable[str]) -> list[str]:
    """The ids of projects, as :func:`distil.db.projects.find_ids` finds them; also of those that are not registered.

    An unregistered project has to be given by its id.

    :raises NotFound: nothing is known of a project.
    :raises StoreError: the database failed.
    """
    return [text if _is_unregistered(engine, text) else projects.find_ids(engine, [text])[0] for text in texts]


def _is_unregistered(engine: sa.Engine, project_id: str) -> bool:
    tables = project_states, late_windows
    known = sa.union_all(*(sa.select(table.c.tenant_id).where(table.c.tenant_id == project_id) for table in tables))
    registered = sa.select(tenants.c.id).where(tenants.c.id == project_id)
    with errors.translate_errors("look up projects"), engine.connect() as connection:
        return connection.scalar(registered) is None and connection.execute(known).first() is not None


def ids_in_period(
    connection: sa.Connection, period: Window, chosen: Collection[str], domains: Collection[str]
) -> set[str]:
    """The ids of the projects that may have windows in a period.

    :param chosen: ids; without any, all.
    :param domains: ids; without any, all.
    """
    late = sa.select(late_windows.c.tenant_id).where(
        late_windows.c.start >= period.start, late_windows.c.start < period.end
    )
    states = sa.select(project_states.c.tenant_id).where(project_states.c.since < period.end)
    registered = sa.select(tenants.c.id)
    if domains:
        registered = registered.where(tenants.c.domain_id.in_(domains))
        states = states.where(project_states.c.domain_id.in_(domains))
        # Of a project that no run has seen, the domain is not known.
        late = late.where(sa.false())
    found: set[str] = set()
    for query in (registered, states.distinct(), late.distinct()):
        found.update(connection.scalars(query))
    return found & set(chosen) if chosen else found
