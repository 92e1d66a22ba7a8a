# SPDX-License-Identifier: Apache-2.0
"""Sets where the collection of a project goes on, for one whose start was set wrongly."""

import datetime

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors
from distil.db.functions import valid_time
from distil.db.models import rejected_samples
from distil.db.models import tenants
from distil.db.models import usage_entry


def set_start(
    engine: sa.Engine, project_id: str, start: datetime.datetime, dry_run: bool = False
) -> datetime.datetime | None:
    """Sets last_collected of a project, unless windows that end later have been stored.

    :returns: last_collected as it was; None if there was none.
    :raises Refused: usage or rejected samples of later windows are stored and would be stored twice, or a collector has
        stored a window meanwhile.
    :raises StoreError: the database failed. Nothing was changed.
    """
    with errors.translate_errors(f"set the start of project {project_id}"):
        with engine.connect() as connection:
            query = sa.select(valid_time(tenants.c.last_collected)).where(tenants.c.id == project_id)
            before = connection.scalar(query)
        with engine.connect() as connection, connection.begin() as transaction:
            # First of all, so that it waits for a collector that is storing a window, and sees it.
            _compare_and_set(connection, project_id, before, start)
            _require_nothing_after(connection, project_id, start)
            if dry_run:
                transaction.rollback()
    return before


def _compare_and_set(
    connection: sa.Connection, project_id: str, before: datetime.datetime | None, start: datetime.datetime
) -> None:
    # What is not a time, such as a zero date, is read as None, and cannot be compared with.
    unchanged = tenants.c.last_collected == before if before else sa.true()
    statement = sa.update(tenants).where(tenants.c.id == project_id, unchanged).values(last_collected=start)
    if connection.execute(statement).rowcount != 1:
        raise exceptions.Refused(f"a collector has stored a window of project {project_id} meanwhile; try again")


def _require_nothing_after(connection: sa.Connection, project_id: str, start: datetime.datetime) -> None:
    for table, what in ((usage_entry, "usage entries"), (rejected_samples, "rejected samples")):
        columns = table.c
        query = sa.select(sa.func.count(), sa.func.min(columns.start), sa.func.max(columns.end))
        count, first, last = connection.execute(query.where(columns.tenant_id == project_id, columns.end > start)).one()
        if count:
            raise exceptions.Refused(
                f"{count} {what} of project {project_id} are stored of windows from {first:%Y-%m-%dT%H:%M:%SZ} to"
                f" {last:%Y-%m-%dT%H:%M:%SZ}: they would be stored twice if it started at {start:%Y-%m-%dT%H:%M:%SZ}"
            )
