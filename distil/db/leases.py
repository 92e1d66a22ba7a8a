# SPDX-License-Identifier: Apache-2.0
"""Leases: which collector has a project at the moment, and until when others leave it alone.

They only avoid wasted work. Which collector stores a window is decided by the compare-and-set of
:meth:`distil.db.project_store.ProjectStore.commit`.
"""

import datetime
import math
from collections.abc import Callable
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exception
from oslo_log import log

from distil.db import errors
from distil.db import transaction
from distil.db.functions import utc_timestamp
from distil.db.lease_owner import is_gone
from distil.db.models import project_locks
from distil.db.models import tenants

LOG = log.getLogger(__name__)

# Longer than a window usually takes, and short enough that the projects of a killed collector are not delayed for long.
LEASE_SECONDS = 300

# Age at which a lock without an expiry, which the predecessor leaves, counts as expired.
LEGACY_LOCK_SECONDS = 3600


class Leases:
    """The leases of one owner.

    Each method is one compare-and-set by the database's clock, and raises StoreError if the database fails; repeating
    it is safe. Threads may share an instance.

    :param owner: identifies one start of a process and one collector: only the owner renews and releases its leases.
    :param length: seconds from an acquisition or a renewal to the expiry, rounded up.
    :param on_takeover: called when a lease of another owner is acquired, because it has expired or the owner is gone.
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
        """Acquires the lease of a project, unless another owner that may still run has one that has not expired."""
        with errors.translate_errors(f"acquire the lease of project {project_id}"):
            return self._retrying(self._acquire, project_id)

    def renew(self, project_id: str) -> bool:
        """Extends the lease of a project, unless this owner has lost it."""
        with errors.translate_errors(f"renew the lease of project {project_id}"):
            return self._retrying(self._extend, project_id, project_locks.c.owner == self.owner)

    def release(self, project_id: str) -> None:
        """Releases the lease of a project, if this owner has it."""
        with errors.translate_errors(f"release the lease of project {project_id}"):
            self._retrying(self._delete, project_locks.c.project_id == project_id)

    def release_all(self) -> None:
        """Releases every lease of this owner."""
        with errors.translate_errors("release all leases"):
            self._retrying(self._delete, sa.true())

    def _acquire(self, project_id: str) -> bool:
        holder = self._holder(project_id)
        if holder is None:
            return self._insert(project_id)
        if holder.owner == self.owner:
            return self._extend(project_id, project_locks.c.owner == self.owner)
        if not holder.expired and not is_gone(holder.owner):
            LOG.debug("Project %s: leased by %s.", project_id, holder.owner)
            return False
        unchanged = project_locks.c.owner == holder.owner
        acquired = self._extend(project_id, sa.and_(unchanged, has_expired()) if holder.expired else unchanged)
        if acquired:
            self._on_takeover()
            reason = "has expired" if holder.expired else "is of a process that died"
            LOG.info("Project %s: the lease of %s %s and is taken over.", project_id, holder.owner, reason)
        return acquired

    def _holder(self, project_id: str) -> "_Holder | None":
        query = sa.select(project_locks.c.owner, has_expired()).where(project_locks.c.project_id == project_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _Holder(row[0], bool(row[1]))

    def _insert(self, project_id: str) -> bool:
        values = {
            "project_id": project_id,
            "owner": self.owner,
            "created": utc_timestamp(),
            "expires": utc_timestamp(self.length),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(project_locks).values(values))
        except db_exception.DBDuplicateEntry:
            return False
        return True

    def _extend(self, project_id: str, condition: sa.ColumnElement[bool]) -> bool:
        statement = sa.update(project_locks).where(project_locks.c.project_id == project_id, condition)
        values = {"owner": self.owner, "created": utc_timestamp(), "expires": utc_timestamp(self.length)}
        with self._engine.begin() as connection:
            return connection.execute(statement.values(values)).rowcount == 1

    def _delete(self, condition: sa.ColumnElement[bool]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(project_locks).where(project_locks.c.owner == self.owner, condition))


class _Holder(NamedTuple):
    owner: str
    expired: bool


class Lease(NamedTuple):
    """A lease of any owner, as it is stored.

    :param project: the project's name; None if the project is not stored.
    :param expires: None for a lock of the predecessor.
    :param dead: whether the owner was a process of this host, and is gone.
    """

    project_id: str
    project: str | None
    owner: str
    created: datetime.datetime
    expires: datetime.datetime | None
    expired: bool
    dead: bool

    @property
    def free(self) -> bool:
        """Whether a collector on this host would take it over."""
        return self.expired or self.dead


class AbandonedLease(NamedTuple):
    """A lease that its owner does not renew.

    :param free: whether the next collector takes it over; False for a lock of the predecessor that is not old enough.
    """

    owner: str
    free: bool


def list_leases(engine: sa.Engine) -> Iterator[Lease]:
    """All leases, ordered by project id.

    :raises StoreError: the database failed.
    """
    locks = project_locks.c
    query = (
        sa.select(locks.project_id, tenants.c.name, locks.owner, locks.created, locks.expires, has_expired())
        .join_from(project_locks, tenants, tenants.c.id == locks.project_id, isouter=True)
        .order_by(locks.project_id)
    )
    with errors.translate_errors("read leases"), engine.connect() as connection:
        for project_id, project, owner, created, expires, expired in connection.execute(query):
            yield Lease(project_id, project, owner, created, expires, bool(expired), is_gone(owner))


def list_abandoned(engine: sa.Engine) -> list[AbandonedLease]:
    """Leases that have expired or whose owner is gone, and the predecessor's locks, at any revision of the database.

    :raises StoreError: the database failed.
    """
    with errors.translate_errors("read leases"), engine.connect() as connection:
        inspector = sa.inspect(connection)
        if not inspector.has_table(project_locks.name):
            return []
        legacy = project_locks.c.expires.is_(None)
        query = sa.select(project_locks.c.owner, has_expired(), legacy)
        if "expires" not in {column["name"] for column in inspector.get_columns(project_locks.name)}:
            query = sa.select(project_locks.c.owner, _legacy_lock_has_expired(), sa.true())
        found = [
            (AbandonedLease(owner, bool(expired) or is_gone(owner)), bool(is_legacy))
            for owner, expired, is_legacy in connection.execute(query)
        ]
    return [lease for lease, is_legacy in found if lease.free or is_legacy]


def release_lease(engine: sa.Engine, lease: Lease, force: bool = False) -> bool:
    """Releases a lease of any owner, unless it is another owner's by now. Returns whether it was released.

    :param force: also if the lease has not expired and its owner may still run.
    :raises StoreError: the database failed.
    """
    locks = project_locks.c
    statement = sa.delete(project_locks).where(locks.project_id == lease.project_id, locks.owner == lease.owner)
    if not force and not lease.dead:
        statement = statement.where(has_expired())
    with errors.translate_errors(f"release the lease of project {lease.project_id}"), engine.begin() as connection:
        return connection.execute(statement).rowcount == 1


def has_expired() -> sa.ColumnElement[bool]:
    """Whether a lease has expired.

    One that expires later than any lease acquired now could has expired too: it was acquired while the clock was ahead.
    """
    expires = project_locks.c.expires
    over = sa.or_(expires <= utc_timestamp(), expires > utc_timestamp(2 * LEASE_SECONDS))
    return sa.or_(over, sa.and_(expires.is_(None), _legacy_lock_has_expired()))


def _legacy_lock_has_expired() -> sa.ColumnElement[bool]:
    created = project_locks.c.created
    return sa.or_(created <= utc_timestamp(-LEGACY_LOCK_SECONDS), created > utc_timestamp(LEGACY_LOCK_SECONDS))
