# SPDX-License-Identifier: Apache-2.0
"""Deletes any number of rows in transactions that are short enough not to delay collectors."""

import datetime
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence

import sqlalchemy as sa

from distil.db import transaction
from distil.db.project_lock import lock

_ROWS_PER_TRANSACTION = 5_000


def delete_in_batches(
    engine: sa.Engine,
    column: sa.Column[object],
    condition: sa.ColumnElement[bool],
    precondition: Callable[[sa.Connection], None] = lambda _connection: None,
) -> int:
    """Deletes rows in the order of a column, and returns their number.

    :param column: of the table; has an index that the condition can use. A batch has all rows of its last value.
    :param precondition: called at the beginning of each transaction; raises if the rows must not be deleted any more.
    :raises StoreError: the precondition does not hold.
    """
    last = sa.select(column).where(condition).order_by(column).offset(_ROWS_PER_TRANSACTION - 1).limit(1)

    def delete_batch() -> tuple[int, bool]:
        with engine.begin() as connection:
            precondition(connection)
            end = connection.scalar(last)
            batch = condition if end is None else sa.and_(condition, column <= end)
            return connection.execute(sa.delete(column.table).where(batch)).rowcount, end is None

    deleted, is_last = 0, False
    while not is_last:
        count, is_last = transaction.conflict_retrying()(delete_batch)
        deleted += count
    return deleted


def delete_windows(
    engine: sa.Engine,
    tables: Sequence[sa.Table],
    project_id: str,
    end: datetime.datetime,
    precondition: Callable[[sa.Connection], None] = lambda _connection: None,
) -> Counter[sa.Table]:
    """Deletes all rows of a project's windows that start before a time, and returns their number by table.

    Each window is deleted from all tables at once, while no other transaction can change it.

    :param precondition: called in each transaction, after the project's row is locked; raises if the windows must not
        be deleted.
    """
    deleted: Counter[sa.Table] = Counter()

    def delete_batch() -> tuple[Counter[sa.Table], bool]:
        with engine.begin() as connection:
            lock(connection, project_id)
            precondition(connection)
            starts = [connection.scalar(_last_start(table, project_id, end)) for table in tables]
            last = min((start for start in starts if start is not None), default=None)
            counts: Counter[sa.Table] = Counter()
            for table in tables:
                condition = sa.and_(table.c.tenant_id == project_id, table.c.start < end)
                batch = condition if last is None else sa.and_(condition, table.c.start <= last)
                counts[table] = connection.execute(sa.delete(table).where(batch)).rowcount
            return counts, last is None

    is_last = False
    while not is_last:
        counts, is_last = transaction.conflict_retrying()(delete_batch)
        deleted.update(counts)
    return deleted


def _last_start(table: sa.Table, project_id: str, end: datetime.datetime) -> sa.Select[tuple[datetime.datetime]]:
    """The start of the last window of a full batch of the table's rows; none if there are fewer."""
    query = sa.select(table.c.start).where(table.c.tenant_id == project_id, table.c.start < end)
    return query.order_by(table.c.start).offset(_ROWS_PER_TRANSACTION - 1).limit(1)
