# SPDX-License-Identifier: Apache-2.0
"""How far the projects that usage is of have been collected."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import errors
from distil.db.functions import valid_time
from distil.db.models import tenants
from distil.db.models import usage_entry


class CollectedProject(NamedTuple):
    """A project, and how far it has been collected.

    :param last_collected: end of its newest stored window; None before the first one, or if it is not a time.
    :param has_ended: whether it has departed, and all of its usage is collected.
    :param is_in_scope: whether a collector had it in its scope in its last run, or collects its last usage.
    """

    project_id: str
    name: str
    last_collected: datetime.datetime | None
    has_ended: bool = False
    is_in_scope: bool = False


class Collected(NamedTuple):
    """What has been collected of some projects.

    :param first: start of the oldest window with usage; None if no usage is stored.
    :param projects: ordered by ID.
    """

    first: datetime.datetime | None
    projects: list[CollectedProject]


def read(engine: sa.Engine, projects: Collection[str] = (), domains: Collection[str] = ()) -> Collected:
    """How far projects have been collected; all of them if neither projects nor domains are given.

    :raises StoreError: the database failed.
    """
    conditions = list(_conditions(projects, domains))
    last_collected = valid_time(tenants.c.last_collected)
    has_ended = sa.and_(tenants.c.departed.is_not(None), tenants.c.in_scope_of.is_(None))
    is_in_scope = tenants.c.in_scope_of.is_not(None)
    columns = tenants.c.id, tenants.c.name, last_collected, has_ended, is_in_scope
    query = sa.select(*columns).where(*conditions).order_by(tenants.c.id)
    first = sa.select(sa.func.min(usage_entry.c.start))
    if conditions:
        # One row of the index for each project, instead of all of them.
        oldest = sa.select(usage_entry.c.start).where(usage_entry.c.tenant_id == tenants.c.id)
        oldest_start = oldest.order_by(usage_entry.c.start).limit(1).scalar_subquery()
        first = sa.select(sa.func.min(oldest_start)).where(*conditions)
    with errors.translate_errors("read what is collected"), engine.connect() as connection:
        return Collected(connection.scalar(first), [CollectedProject(*row) for row in connection.execute(query)])


def _conditions(projects: Collection[str], domains: Collection[str]) -> Iterator[sa.ColumnElement[bool]]:
    if projects:
        yield tenants.c.id.in_(projects)
    if domains:
        yield tenants.c.domain_id.in_(domains)
