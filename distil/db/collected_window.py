# SPDX-License-Identifier: Apache-2.0
"""Finds a collected window of a project by any time in it."""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import stored_windows
from distil.db.functions import valid_time
from distil.db.models import receipts
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.db.stored_windows import StoredWindow

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_NOT_A_NUMBER = Decimal("NaN")


def find(engine: sa.Engine, project_id: str, moment: datetime.datetime) -> StoredWindow:
    """The window of a project that has a time in it.

    A volume that is NULL, as only other programs store it, is not a number.

    :raises NotFound: it was not collected, or left neither a receipt nor usage.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors(f"look up a window of project {project_id}"), engine.connect() as connection:
        windows = (_last_window(connection, table.c, project_id, moment) for table in (receipts, usage_entry))
        window = next((window for window in windows if window and moment in window), None)
        if window is None:
            raise exceptions.NotFound(_why_unknown(connection, project_id, moment))
    found = stored_windows.read(engine, [project_id], window)[project_id]
    return found._replace(usage=tuple(_with_numbers(found.usage)))


def _last_window(
    connection: sa.Connection, columns: Any, project_id: str, moment: datetime.datetime
) -> model.Window | None:
    """The last window that begins at or before a time."""
    query = sa.select(columns.start, columns.end).where(columns.tenant_id == project_id, columns.start <= moment)
    row = connection.execute(query.order_by(columns.start.desc()).limit(1)).one_or_none()
    return None if row is None else model.Window(*row)


def _with_numbers(usage: Iterable[model.Usage]) -> Iterable[model.Usage]:
    for entry in usage:
        volume: Decimal | None = entry.volume
        yield structs.replace(entry, volume=_NOT_A_NUMBER) if volume is None else entry


def _why_unknown(connection: sa.Connection, project_id: str, moment: datetime.datetime) -> str:
    query = sa.select(valid_time(tenants.c.last_collected)).where(tenants.c.id == project_id)
    collected: datetime.datetime | None = connection.scalar(query)
    time = f"{moment:{_TIME_FORMAT}}"
    if collected is None:
        return f"project {project_id} has never been collected"
    if collected <= moment:
        return f"project {project_id} is collected until {collected:{_TIME_FORMAT}}, so not yet at {time}"
    return (
        f"project {project_id} has neither a receipt nor usage of a window with {time} in it: it was not collected, or"
        " what was stored of it has been pruned"
    )
