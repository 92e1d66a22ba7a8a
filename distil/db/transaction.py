# SPDX-License-Identifier: Apache-2.0
"""Commits of transactions, and repetition of those that conflict with another."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator

import sqlalchemy as sa
import tenacity
from oslo_db import exception as db_exception

_MAX_ATTEMPTS = 5
_MAX_PAUSE_SECONDS = 0.2
# SQLSTATE; oslo.db does not translate it.
_SERIALIZATION_FAILURE = "40001"


def conflict_retrying() -> tenacity.Retrying:
    """The retry policy for transactions that fail because of another one: a deadlock, or the same row inserted first.

    PostgreSQL's REPEATABLE READ and SERIALIZABLE also refuse a row that another transaction has written meanwhile.

    Threads may share the result.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_conflict),
        stop=tenacity.stop_after_attempt(_MAX_ATTEMPTS),
        wait=tenacity.wait_random(0, _MAX_PAUSE_SECONDS),
        reraise=True,
    )


def _is_conflict(error: BaseException) -> bool:
    if isinstance(error, db_exception.DBDeadlock | db_exception.DBDuplicateEntry):
        return True
    return isinstance(error, sa.exc.DBAPIError) and getattr(error.orig, "sqlstate", None) == _SERIALIZATION_FAILURE


@contextlib.contextmanager
def verified_commit(engine: sa.Engine, committed: Callable[[sa.Connection], bool]) -> Iterator[sa.Connection]:
    """A transaction whose outcome is verified when the reply to COMMIT is lost.

    The engine's own block commits or rolls back: after a COMMIT that failed, a connection whose transaction was begun
    by hand returns to the pool with the transaction open.

    :param committed: finds out over another connection whether the COMMIT took effect. It has to lock a row that the
        transaction had locked, so that it waits until the server has ended the transaction.
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
