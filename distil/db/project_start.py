# SPDX-License-Identifier: Apache-2.0
"""Sets where the collection of a project goes on, for one whose start was set wrongly."""

import datetime

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors
from distil.db import periods
from distil.db import privileges
from distil.db import receipt_history
from distil.db.functions import valid_time
from distil.db.models import late_windows
from distil.db.models import receipts
from distil.db.models import rejected_samples
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.db.receipt_history import Change

REASON = "project start"


def set_start(
    engine: sa.Engine, project_id: str, start: datetime.datetime, changed_by: str, dry_run: bool = False
) -> datetime.datetime | None:
    """Sets last_collected of a project, unless windows that end later have been stored with usage.

    The receipts of windows without usage, which are collected again, are kept in the history.

    :param changed_by: user and host.
    :returns: last_collected as it was; None if there was none.
    :raises Refused: usage or rejected samples of later windows are stored and would be stored twice, or some are
        in a closed period, or a collector has stored a window meanwhile.
    :raises StoreError: the database failed. Nothing was changed.
    """
    if not dry_run and _has_receipts(engine, project_id, start):
        privileges.require_delete(engine, [receipts, late_windows])
    with errors.translate_errors(f"set the start of project {project_id}"):
        with engine.connect() as connection:
            query = sa.select(valid_time(tenants.c.last_collected)).where(tenants.c.id == project_id)
            before = connection.scalar(query)
        with engine.connect() as connection, connection.begin() as transaction:
            # First of all, so that it waits for a collector that is storing a window, and sees it.
            _compare_and_set(connection, project_id, before, start)
            _require_nothing_after(connection, project_id, start)
            _require_no_closed_period(connection, project_id, start)
            _move_receipts(connection, project_id, start, Change(REASON, changed_by))
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


def _require_no_closed_period(connection: sa.Connection, project_id: str, start: datetime.datetime) -> None:
    names = periods.with_windows(connection, project_id, start)
    if names:
        raise exceptions.Refused(
            f"project {project_id} has windows from {start:%Y-%m-%dT%H:%M:%SZ} on in closed periods"
            f" ({', '.join(names)}), which are never collected again; use the end of the last of these periods or later"
        )


def _has_receipts(engine: sa.Engine, project_id: str, start: datetime.datetime) -> bool:
    query = sa.select(receipts.c.start).where(receipts.c.tenant_id == project_id, receipts.c.end > start).limit(1)
    with errors.translate_errors(f"read receipts of project {project_id}"), engine.connect() as connection:
        return connection.scalar(query) is not None


def _move_receipts(connection: sa.Connection, project_id: str, start: datetime.datetime, change: Change) -> None:
    """Make room for the receipts of the windows that are collected again; these get the next revisions."""
    condition = sa.and_(receipts.c.tenant_id == project_id, receipts.c.end > start)
    if connection.scalar(sa.select(sa.func.count()).select_from(receipts).where(condition)):
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        receipt_history.keep(connection, condition, change, now)
        connection.execute(sa.delete(receipts).where(condition))
        is_late = late_windows.c.tenant_id == project_id, late_windows.c.end > start
        connection.execute(sa.delete(late_windows).where(*is_late))
