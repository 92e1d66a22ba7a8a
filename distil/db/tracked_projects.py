# SPDX-License-Identifier: Apache-2.0
"""Tracks which projects were in a collector's scope, so that a run notices those that have left Keystone since.

A project is tracked from the first run that has it in scope, to the first that has not although Keystone lists it, or
to the end of its collection after its departure.
"""

import dataclasses
import datetime
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from distil import text
from distil.db import errors
from distil.db import queries
from distil.db import transaction
from distil.db.functions import valid_time
from distil.db.models import MAX_COLLECTOR
from distil.db.models import tenants


@dataclasses.dataclass(frozen=True, slots=True)
class TrackedProject:
    """A project that is in the scope of some collector, or was when it departed.

    :param in_scope_of: the collector that had the project in its scope first, of those that have it.
    :param departed: when a run noticed first that Keystone no longer lists it as enabled; None if it is listed.
    :param collect_until: end of the last window that is collected of a departed project; None if it is not certain yet
        that it has departed.
    :param last_collected: None if it is not a valid time.
    """

    id: str
    name: str
    domain_id: str | None
    in_scope_of: str
    departed: datetime.datetime | None
    collect_until: datetime.datetime | None
    last_collected: datetime.datetime | None


class TrackedProjects:
    """The tracked projects of all collectors.

    Every method raises StoreError if the database fails; repeating it is safe.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._retrying = transaction.conflict_retrying()

    def load(self) -> dict[str, TrackedProject]:
        """All tracked projects by id."""
        names = ("id", "name", "domain_id", "in_scope_of", "departed", "collect_until")
        columns = [*(tenants.c[name] for name in names), valid_time(tenants.c.last_collected).label("last_collected")]
        query = sa.select(*columns).where(tenants.c.in_scope_of.is_not(None))
        with errors.translate_errors("read which projects were in scope"), self._engine.connect() as connection:
            return {row["id"]: TrackedProject(**row) for row in connection.execute(query).mappings()}

    def track(self, project_ids: Collection[str], collector: str) -> None:
        """Track projects that are in scope. Those that had departed have come back."""
        name = text.fit_column(collector, MAX_COLLECTOR)
        self._update(project_ids, sa.true(), {"in_scope_of": name, "departed": None, "collect_until": None})

    def release(self, project_ids: Collection[str]) -> None:
        """Stop tracking projects that Keystone lists, and that are no longer in scope."""
        self._update(project_ids, sa.true(), {"in_scope_of": None, "departed": None, "collect_until": None})

    def depart(
        self, project_ids: Collection[str], departed: datetime.datetime, collect_until: datetime.datetime | None
    ) -> int:
        """Note that projects have departed, unless it is known already.

        :param collect_until: None if it is not certain yet.
        :returns: number of projects for which it was not known.
        """
        unknown = tenants.c.departed.is_(None) if collect_until is None else tenants.c.collect_until.is_(None)
        values = {"departed": sa.func.coalesce(tenants.c.departed, departed), "collect_until": collect_until}
        return self._update(project_ids, sa.and_(tenants.c.in_scope_of.is_not(None), unknown), values)

    def finish(self, project_ids: Collection[str]) -> int:
        """Stop tracking departed projects. Returns their number without those that another process has finished."""
        departed = sa.and_(tenants.c.in_scope_of.is_not(None), tenants.c.departed.is_not(None))
        return self._update(project_ids, departed, {"in_scope_of": None})

    def _update(self, ids: Collection[str], condition: sa.ColumnElement[bool], values: dict[str, Any]) -> int:
        if not ids:
            return 0
        with errors.translate_errors("store which projects are in scope"):
            return self._retrying(self._execute, sorted(ids), condition, values)

    def _execute(self, ids: list[str], condition: sa.ColumnElement[bool], values: dict[str, Any]) -> int:
        statement = sa.update(tenants).values(values)
        changed = 0
        with self._engine.begin() as connection:
            for batch in queries.batched(ids):
                changed += connection.execute(statement.where(tenants.c.id.in_(batch), condition)).rowcount
        return changed
