# SPDX-License-Identifier: Apache-2.0
"""A transaction of which it is certain afterwards whether it was committed."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator

import sqlalchemy as sa
from oslo_db import exception as db_exception


@contextlib.contextmanager
def verified_commit(engine: sa.Engine, committed: Callable[[sa.Connection], bool]) -> Iterator[sa.Connection]:
    """Commit at the end of the block, or roll back.

    It is left to the engine's own block to do so: after a COMMIT that failed, a connection whose transaction was begun
    by hand goes back to the pool with the transaction open.

    :param committed: tells, over another connection, what became of a COMMIT whose answer was lost. It has to wait for
        the rows that the transaction had locked, until the server has ended it, should it still have it.
    """
    committing = False
    try:
        with engine.begin() as connection:
            yield connection
            committing = True
    except db_exception.DBConnectionError:
        if not committing:
            raise
        with engine.begin() as connection:
            done = committed(connection)
        if not done:
            raise
