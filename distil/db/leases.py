# SPDX-License-Identifier: Apache-2.0
"""Leases: who collects a project at this moment, and until when nobody else begins to.

They avoid wasted work and nothing else: what decides who stores a window is the compare-and-set of
:meth:`distil.db.project_store.StoredProject.commit`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exception
from oslo_log import log

from distil.db import errors
from distil.db import transaction
from distil.db.functions import utc_now
from distil.db.models import project_locks

LOG = log.getLogger(__name__)

# Seconds. Longer than a window takes, as a rule, and no longer than anyone wants to wait for a collector that was
# killed.
LEASE_SECONDS = 300

# Seconds from the creation of a lease without an end, which is the predecessor's, to when it counts as expired.
LEGACY_LOCK_SECONDS = 3600


class Leases:
    """The leases of one owner. Each method is one compare-and-set, by the clock of the database. Threads may share it.

    Every method raises StoreError where the database does not do what it is asked; asking again is safe.

    :param owner: unique to this start of a process: only it renews and releases what it has acquired.
    :param length: seconds from an acquisition or a renewal to the expiry, rounded up.
    :param on_takeover: is called when a lease of another owner that has expired is acquired.
    """

    def __init__(
        self,
        engine: sa.Engine,
        owner: str,
        length: float = LEASE_SECONDS,
        on_takeover: Callable[[], None] = lambda: None,
    ) -> None:
        self.owner = owner
        self.length = math.ceil(length)
        self._engine = engine
        self._on_takeover = on_takeover
        self._retrying = transaction.conflict_retrying()

    def acquire(self, project_id: str) -> bool:
        """Take a project that nobody has a lease of, or whose lease has expired. False: another owner has it."""
        with errors.translate_errors(f"acquiring the lease of project {project_id}"):
            return self._retrying(self._acquire, project_id)

    def renew(self, project_id: str) -> bool:
        """Put the expiry off. False: the lease is this owner's no more."""
        with errors.translate_errors(f"renewing the lease of project {project_id}"):
            return self._retrying(self._extend, project_id, project_locks.c.owner == self.owner)

    def release(self, project_id: str) -> None:
        """Give the lease back. One that is another owner's stays."""
        with errors.translate_errors(f"releasing the lease of project {project_id}"):
            self._retrying(self._delete, project_locks.c.project_id == project_id)

    def release_all(self) -> None:
        """Give back every lease of this owner."""
        with errors.translate_errors("releasing all leases"):
            self._retrying(self._delete, sa.true())

    def _acquire(self, project_id: str) -> bool:
        stored = self._stored(project_id)
        if stored is None:
            return self._insert(project_id)
        if stored.owner == self.owner:
            return self._extend(project_id, project_locks.c.owner == self.owner)
        if not stored.expired:
            LOG.debug("Project %s: the lease is %s's.", project_id, stored.owner)
            return False
        taken = self._extend(project_id, sa.and_(project_locks.c.owner == stored.owner, expired()))
        if taken:
            self._on_takeover()
            LOG.info("Project %s: the lease of %s has expired and is taken over.", project_id, stored.owner)
        return taken

    def _stored(self, project_id: str) -> "_Stored | None":
        query = sa.select(project_locks.c.owner, expired()).where(project_locks.c.project_id == project_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _Stored(row[0], bool(row[1]))

    def _insert(self, project_id: str) -> bool:
        values = {"project_id": project_id, "owner": self.owner, "created": utc_now(), "expires": utc_now(self.length)}
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(project_locks).values(values))
        except db_exception.DBDuplicateEntry:
            return False
        return True

    def _extend(self, project_id: str, allowed: sa.ColumnElement[bool]) -> bool:
        statement = sa.update(project_locks).where(project_locks.c.project_id == project_id, allowed)
        values = {"owner": self.owner, "created": utc_now(), "expires": utc_now(self.length)}
        with self._engine.begin() as connection:
            return connection.execute(statement.values(values)).rowcount == 1

    def _delete(self, which: sa.ColumnElement[bool]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(project_locks).where(project_locks.c.owner == self.owner, which))


class Abandoned(NamedTuple):
    """A lease whose owner does not renew it.

    :param expired: False: it has no end, and is not that old yet.
    """

    owner: str
    expired: bool


def abandoned(engine: sa.Engine) -> list[Abandoned]:
    """Those that have expired, and those of the predecessor, which have no end; at any revision of the database.

    :raises StoreError: the database did not do what it was asked.
    """
    with errors.translate_errors("looking for leases"), engine.connect() as connection:
        inspector = sa.inspect(connection)
        if not inspector.has_table(project_locks.name):
            return []
        query = sa.select(project_locks.c.owner, expired())
        query = query.where(sa.or_(project_locks.c.expires.is_(None), expired()))
        if "expires" not in {column["name"] for column in inspector.get_columns(project_locks.name)}:
            query = sa.select(project_locks.c.owner, _forgotten())
        return [Abandoned(owner, bool(expired)) for owner, expired in connection.execute(query)]


class _Stored(NamedTuple):
    owner: str
    expired: bool


def expired() -> sa.ColumnElement[bool]:
    """Whether a lease has ended.

    Also one that ends later than any that is taken now: the clock was ahead when it was.
    """
    ended = sa.or_(project_locks.c.expires <= utc_now(), project_locks.c.expires > utc_now(2 * LEASE_SECONDS))
    return sa.or_(ended, sa.and_(project_locks.c.expires.is_(None), _forgotten()))


def _forgotten() -> sa.ColumnElement[bool]:
    """Of one without an end."""
    created = project_locks.c.created
    return sa.or_(created <= utc_now(-LEGACY_LOCK_SECONDS), created > utc_now(LEGACY_LOCK_SECONDS))
