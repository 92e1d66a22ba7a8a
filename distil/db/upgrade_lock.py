# SPDX-License-Identifier: Apache-2.0
"""The lock that lets one process at a time change the tables. It ends with the process that has it."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from typing import Any
from typing import Protocol

import sqlalchemy as sa
import tenacity
from oslo_log import log

from distil import exceptions

LOG = log.getLogger(__name__)

_NAME = "distil-db-manage"

# Longer than the rewriting of a large table usually takes.
_TIMEOUT_SECONDS = 3600.0

_POLL_SECONDS = 1.0


@contextlib.contextmanager
def upgrade_lock(connection: sa.Connection, timeout: float = _TIMEOUT_SECONDS) -> Iterator[None]:
    """Waits for the lock, and releases it at the end of the block. There is no transaction in between.

    :param connection: the one that changes the tables.
    :param timeout: seconds.
    :raises StoreError: another process has had the lock for that long.
    """
    lock = _LOCKS[connection.dialect.name](connection)
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda acquired: not acquired),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(_POLL_SECONDS),
        before_sleep=_announce,
    )
    try:
        attempts(lock.acquire)
    except tenacity.RetryError:
        raise exceptions.StoreError(
            f"another {_NAME} has been changing the tables for {timeout:.0f} seconds; run the command again when it is"
            " done"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _announce(state: tenacity.RetryCallState) -> None:
    if state.attempt_number == 1:
        LOG.info("Waiting for another %s, which is changing the tables.", _NAME)


class _Lock(Protocol):
    def __init__(self, connection: sa.Connection) -> None: ...

    def acquire(self) -> bool:
        """Returns whether this process has the lock now."""

    def release(self) -> None: ...


class _MySQLLock:
    """A lock of the session. Its name is the server's, so the database's is part of it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._name = f"{_NAME}:{hashlib.sha256(str(connection.engine.url.database).encode()).hexdigest()[:16]}"

    def acquire(self) -> bool:
        with self._connection.begin():
            return self._connection.scalar(sa.select(sa.func.get_lock(self._name, 0))) == 1

    def release(self) -> None:
        # Closing the connection releases the lock, also after an error.
        self._connection.detach()


class _PostgreSQLLock:
    """A lock of a transaction, which PgBouncer keeps on one connection: not on that of the changes, which commit."""

    _KEY = int.from_bytes(hashlib.sha256(_NAME.encode()).digest()[:8], signed=True)

    def __init__(self, connection: sa.Connection) -> None:
        self._engine = connection.engine
        self._connection: sa.Connection | None = None

    def acquire(self) -> bool:
        self._connection = self._engine.connect()
        self._connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        acquired = bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(self._KEY))))
        if not acquired:
            self.release()
        return acquired

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _SQLiteLock:
    """SQLite's own lock of the file, which this connection keeps after the transaction until it is closed.

    Bypasses SQLAlchemy, which would begin a transaction of its own.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._driver_connection: Any = connection.connection.driver_connection

    def acquire(self) -> bool:
        execute = self._driver_connection.execute
        (busy_timeout,) = execute("PRAGMA busy_timeout").fetchone()
        execute("PRAGMA busy_timeout = 0")
        try:
            execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        finally:
            execute(f"PRAGMA busy_timeout = {busy_timeout}")
        # Not before, because a lock to read would be kept as well, which two processes could wait for.
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("COMMIT")
        return True

    def release(self) -> None:
        self._driver_connection.execute("PRAGMA locking_mode = NORMAL")
        # The lock is given back with the next access.
        self._driver_connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


_LOCKS: dict[str, type[_Lock]] = {"mysql": _MySQLLock, "postgresql": _PostgreSQLLock, "sqlite": _SQLiteLock}
