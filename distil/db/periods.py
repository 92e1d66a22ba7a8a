# SPDX-License-Identifier: Apache-2.0
"""Closed periods, whose usage is never changed."""

import datetime

import sqlalchemy as sa

from distil import exceptions
from distil.db.models import periods


def require_open(connection: sa.Connection, start: datetime.datetime) -> None:
    """Checks that a window begins in no period that is closed or being closed.

    The transaction has to lock the project's row before it calls this: the closing of a period locks it, too, and so
    sees either all or nothing of what the transaction changes.

    :param start: of the window.
    :raises Refused: the period is closed.
    """
    query = sa.select(periods.c.name).where(periods.c.start <= start, periods.c.end > start)
    name = connection.scalar(query.limit(1))
    if name is not None:
        raise exceptions.Refused(
            f"the window that begins at {start:%Y-%m-%dT%H:%M:%SZ} is in period {name}, which is closed: its usage is"
            " never changed"
        )
