# SPDX-License-Identifier: Apache-2.0
"""What was stored of windows before it was changed: why, by whom and when."""

import datetime
from typing import NamedTuple

import sqlalchemy as sa

from distil import text
from distil.db.models import MAX_REASON
from distil.db.models import MAX_USER
from distil.db.models import receipt_history
from distil.db.models import receipts


class Change(NamedTuple):
    """Why stored windows are changed, and by whom.

    :param changed_by: user and host.
    """

    reason: str
    changed_by: str

    def values(self, now: datetime.datetime) -> dict[str, object]:
        """The values of the columns that say so."""
        return {
            "reason": text.fit_column(self.reason, MAX_REASON),
            "changed_by": text.fit_column(self.changed_by, MAX_USER),
            "changed": now,
        }


def keep(connection: sa.Connection, condition: sa.ColumnElement[bool], change: Change, now: datetime.datetime) -> None:
    """Copies receipts that are about to be replaced or deleted.

    :param condition: on the table ``receipts``.
    """
    columns = list(receipts.c)
    values = change.values(now)
    constants = [sa.literal(value, receipt_history.c[name].type).label(name) for name, value in values.items()]
    names = [*(column.name for column in columns), *values]
    query = sa.select(*columns, *constants).where(condition)
    connection.execute(sa.insert(receipt_history).from_select(names, query))
