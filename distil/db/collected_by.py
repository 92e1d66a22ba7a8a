# SPDX-License-Identifier: Apache-2.0
"""By what projects are collected: last_collected of a project is the progress in one telemetry service."""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors
from distil.db import queries
from distil.db.models import MAX_TELEMETRY
from distil.db.models import tenants
from distil.model import CollectedBy


class TelemetryUse(NamedTuple):
    """:param telemetry: None: not known yet.
    :param projects: number of projects that are collected from it.
    """

    telemetry: str | None
    projects: int


def others(engine: sa.Engine, project_ids: Collection[str], mine: CollectedBy) -> dict[str, CollectedBy]:
    """By what those projects are collected whose telemetry or rules are not ``mine``, by project id."""
    columns = tenants.c
    differs = sa.or_(columns.telemetry != mine.telemetry, columns.rules != mine.rules)
    found: dict[str, CollectedBy] = {}
    with engine.connect() as connection:
        for ids in queries.batched(sorted(set(project_ids))):
            query = sa.select(columns.id, columns.telemetry, columns.collector, columns.rules)
            rows = connection.execute(query.where(columns.id.in_(ids), differs))
            found.update((project_id, CollectedBy(*map(_text, values))) for project_id, *values in rows)
    return found


def _text(value: str | None) -> str:
    return value or ""


def telemetry_in_use(engine: sa.Engine) -> list[TelemetryUse]:
    """Every telemetry service from which projects are collected.

    :raises StoreError: the database failed.
    """
    query = sa.select(tenants.c.telemetry, sa.func.count()).group_by(tenants.c.telemetry)
    with errors.translate_errors("read the telemetry of projects"), engine.connect() as connection:
        found = [TelemetryUse(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda use: use.telemetry or "")


def rename_telemetry(engine: sa.Engine, old: str, new: str, dry_run: bool = False) -> int:
    """Have the projects that are collected from ``old`` be collected from ``new``.

    :param dry_run: change nothing.
    :returns: their number.
    :raises NotFound: there are none.
    :raises StoreError: ``new`` is too long, or the database failed.
    """
    if not 0 < len(new) <= MAX_TELEMETRY:
        raise exceptions.StoreError(f"the name of a telemetry service has 1 to {MAX_TELEMETRY} characters")
    update = sa.update(tenants).where(tenants.c.telemetry == old).values(telemetry=new)
    with errors.translate_errors("rename telemetry"), engine.connect() as connection:
        renamed = connection.execute(update).rowcount
        if not dry_run:
            connection.commit()
    if not renamed:
        raise exceptions.NotFound(f"no project is collected from {old!r}; distil-manage telemetry list shows the names")
    return renamed
