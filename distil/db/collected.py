# SPDX-License-Identifier: Apache-2.0
"""From when to when usage is stored."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import errors
from distil.db.functions import valid_time
from distil.db.models import tenants
from distil.db.models import usage_entry


class Collected(NamedTuple):
    """What has been collected of some projects.

    :param first: start of the oldest window with usage; None if no usage is stored.
    :param newest: end of the newest stored window; None if there is none.
    :param projects: number of registered projects.
    """

    first: datetime.datetime | None
    newest: datetime.datetime | None
    projects: int


def read(engine: sa.Engine, projects: Collection[str] = (), domains: Collection[str] = ()) -> Collected:
    """What has been collected of projects; of all of them if neither projects nor domains are given.

    :raises StoreError: the database failed.
    """
    conditions = list(_conditions(projects, domains))
    query = sa.select(valid_time(tenants.c.last_collected)).where(*conditions)
    first = sa.select(sa.func.min(usage_entry.c.start))
    if conditions:
        # One row of the index for each project, instead of all of them.
        oldest = sa.select(usage_entry.c.start).where(usage_entry.c.tenant_id == tenants.c.id)
        oldest_start = oldest.order_by(usage_entry.c.start).limit(1).scalar_subquery()
        first = sa.select(sa.func.min(oldest_start)).where(*conditions)
    with errors.translate_errors("read what is collected"), engine.connect() as connection:
        # Not their maximum in SQL: what is not a time may be greater than each that is one.
        times = list(connection.scalars(query))
        return Collected(connection.scalar(first), max(filter(None, times), default=None), len(times))


def _conditions(projects: Collection[str], domains: Collection[str]) -> Iterator[sa.ColumnElement[bool]]:
    if projects:
        yield tenants.c.id.in_(projects)
    if domains:
        yield tenants.c.domain_id.in_(domains)
