# SPDX-License-Identifier: Apache-2.0
"""Deletes any number of rows in transactions that are short enough not to delay collectors."""

from collections.abc import Callable

import sqlalchemy as sa

from distil.db import transaction

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
